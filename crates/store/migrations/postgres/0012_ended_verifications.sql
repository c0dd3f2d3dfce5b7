-- What has ended is deleted in the order of its end, however many sessions live on beside it.
CREATE INDEX verification_ended ON verification (expires_at) WHERE live = 0;
