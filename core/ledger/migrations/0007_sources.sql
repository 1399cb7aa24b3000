-- Where a recommendation is from when a model was to give it, what the model was offered, in which order, and what the
-- local ranker would have said, or from which confidence on it answered alone; why a request may not leave this machine. NULL for none, and for rows older than this.
ALTER TABLE recommendations ADD COLUMN source JSON;
ALTER TABLE recommendations ADD COLUMN offered JSON;
ALTER TABLE recommendations ADD COLUMN local_top VARCHAR;
ALTER TABLE recommendations ADD COLUMN local_confidence DOUBLE;
ALTER TABLE recommendations ADD COLUMN cascade_at DOUBLE;
ALTER TABLE requests ADD COLUMN sensitive VARCHAR;
