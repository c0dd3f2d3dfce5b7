-- Deliveries are listed by when they were made: their ids are drawn by each node from blocks of its own.
DROP INDEX webhook_delivery_log;
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook_id, created_at, id);
