-- Where a plan is from when a model was to make it; NULL for plans of the local planner alone.
ALTER TABLE executions ADD COLUMN source JSON;
