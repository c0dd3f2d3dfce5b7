-- The session tokens that a browser may hand in, and no other verification: what a preflight looks through.

CREATE INDEX verification_origins ON verification (expires_at)
    WHERE purpose = 3 AND live = 1 AND challenge LIKE '%"origins":["%';
