-- What an operator has chosen for a client beyond the contract, as JSON.
ALTER TABLE client ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
