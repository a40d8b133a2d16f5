-- Tool calls, and the leases by which a node says that it is still there to end them.
create table gateway_node (
  id text primary key,
  started_at timestamptz not null,
  lease_until timestamptz not null
);
comment on table gateway_node is 'A running node of the gateway. When its lease is over, its open calls end as lost.';
alter table gateway_node enable row level security;
create policy gateway_node_any on gateway_node to gatehouse_app using (true) with check (true);
grant select, insert, update, delete on gateway_node to gatehouse_app;

create table tool_call (
  org text not null,
  id text not null,
  connector text not null,
  tool text not null,
  member text not null,
  user_id text not null,
  client text not null,
  args_hash bytea not null,
  node text not null,
  opened_at timestamptz not null,
  outcome text check (outcome in ('answered', 'held', 'denied', 'blocked', 'failed', 'lost')),
  why text,
  closed_at timestamptz,
  primary key (org, id),
  check ((outcome is null) = (closed_at is null))
) with (fillfactor = 80);
comment on table tool_call is 'One call: open before anything leaves, closed with its outcome. Arguments only as a keyed hash. Open and of a dead node: closed as lost.';
create index tool_call_open on tool_call (node) where outcome is null;
alter table tool_call enable row level security;
create policy tool_call_of_org on tool_call to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on tool_call to gatehouse_app;

-- Organizations that have open calls of nodes whose lease is over.
create function lookup_lost_calls() returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id
    from tool_call c join org o on o.id = c.org
   where c.outcome is null
     and not exists (select from gateway_node n where n.id = c.node and n.lease_until > now())
$$;
revoke all on function lookup_lost_calls from public;
grant execute on function lookup_lost_calls to gatehouse_app;

-- Opens and ends calls of one org and puts their events into the inbox: one statement, one round trip, one commit for all that came together.
-- It runs with the caller's rights under row-level security; it only sets the scope that a transaction of its own would have set.
-- Ends count for calls that are open; the ids that it returns are of those. Plans by index whatever the statistics say, because the plan is
-- kept from a time when the table was empty.
create function record_calls(the_parent text, the_org text, the_node text, opens json, ends json) returns text[]
language plpgsql set search_path = public set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare ended text[];
begin
  perform set_config('app.parent', the_parent, true), set_config('app.org', the_org, true);
  if json_array_length(opens) > 0 then
    insert into tool_call (org, id, connector, tool, member, user_id, client, args_hash, node, opened_at)
    select the_org, c.id, c.connector, c.tool, c.member, c.user_id, c.client, decode(c.args_hash, 'hex'), the_node, c.at
      from json_to_recordset(opens) as c(id text, connector text, tool text, member text, user_id text, client text, args_hash text, at timestamptz);
    insert into audit_inbox (id, log, at, header, data, salt)
    select n.note, the_org, n.at, n.header, n.data, decode(n.salt, 'hex')
      from json_to_recordset(opens) as n(note text, at timestamptz, header jsonb, data jsonb, salt text);
  end if;
  if json_array_length(ends) > 0 then
    with done as (
      update tool_call t set outcome = c.outcome, why = c.why, closed_at = c.at
        from json_to_recordset(ends) as c(id text, outcome text, why text, at timestamptz)
       where t.org = the_org and t.id = c.id and t.outcome is null
      returning t.id)
    select array_agg(id) into ended from done;
    insert into audit_inbox (id, log, at, header, data, salt)
    select n.note, the_org, n.at, n.header, n.data, decode(n.salt, 'hex')
      from json_to_recordset(ends) as n(id text, note text, at timestamptz, header jsonb, data jsonb, salt text)
     where n.id = any(ended);
  end if;
  return coalesce(ended, '{}');
end $$;
revoke all on function record_calls from public;
grant execute on function record_calls to gatehouse_app;
