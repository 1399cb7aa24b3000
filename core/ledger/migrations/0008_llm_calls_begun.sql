-- Every attempt before it begins, as it counts if nothing more is heard of it: a start finds what a kill cut off.
CREATE TABLE llm_calls_begun AS FROM llm_calls LIMIT 0;
