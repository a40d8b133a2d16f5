-- The log as people search it: by time, by the number of a request that somebody quotes, and for what did not end well. What ended well is
-- nearly everything, and is found by walking from the newest; so the third index is small. Everything else that is searched has an index already,
-- or is looked for within a span.

create index audit_event_time on audit_event (log, at);
create index audit_event_request on audit_event (log, (header ->> 'request'), seq);
create index audit_event_ended on audit_event (log, (header ->> 'disposition'), seq)
  where header ->> 'disposition' <> 'returned';
