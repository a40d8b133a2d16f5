-- What an agent says about a request of its own, and when people are told of requests.

alter table approval add column says text check (char_length(says) between 1 and 600);
comment on column approval.says is 'What the agent says about it. Shown apart as not verified; nothing is decided on it and the hash is not over it.';

create function lookup_due_notices(planned_before timestamptz) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id
    from approval_notice n join approval a on a.org = n.org and a.id = n.approval and a.state = 'pending' join org o on o.id = n.org
   where n.sent_at is null and n.planned_at <= planned_before
$$;
revoke all on function lookup_due_notices from public;
grant execute on function lookup_due_notices to gatehouse_app;
