-- What was found in content is found again among everything else that the log has: few events have any findings.

create index audit_event_found on audit_event (log, seq) where jsonb_array_length(case when jsonb_typeof(data -> 'findings') = 'array' then data -> 'findings' else '[]' end) > 0;
