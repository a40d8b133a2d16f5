-- What a call was decided on, so that another set of policies can be asked the same question later; and the runs that do so.
create table decided_call (
  org text not null,
  call text not null,
  answer text not null check (answer in ('allowed', 'asks', 'denied')),
  version text not null,
  engine text not null,
  policies text[] not null,
  asked json,
  primary key (org, call)
);
comment on table decided_call is 'What policy was asked about a call, and what it said. asked: groups of the person, class, surface, device and the argument facts of the tool''s projection, at that moment; never the arguments. Null: more than 8 KB, so not kept. Rows are forgotten after GATEHOUSE_CALL_FACTS_DAYS. Calls that were refused before policy was asked have no row.';
alter table decided_call enable row level security;
create policy decided_call_of_org on decided_call to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on decided_call to gatehouse_app;

-- Forgets what calls were decided on that began before `edge`, at most `most` per org; how many it forgot. Ids of calls begin with their time.
create function prune_decided_calls(edge timestamptz, most int) returns int
language plpgsql security definer set search_path = public as $$
declare
  o record;
  gone int;
  total int := 0;
  first_kept text := 'tcl_' || lpad(to_hex(greatest(0, floor(extract(epoch from edge) * 1000))::bigint), 12, '0');
begin
  for o in select id from org loop
    delete from decided_call d
     where d.org = o.id
       and d.call in (select x.call from decided_call x where x.org = o.id and x.call < first_kept order by x.call limit most);
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  return total;
end $$;
revoke all on function prune_decided_calls from public;
grant execute on function prune_decided_calls to gatehouse_app;

-- As in 0010, and keeps with an end what the call was decided on.
create or replace function record_calls(the_parent text, the_org text, the_node text, opens json, ends json) returns text[]
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
    insert into decided_call (org, call, answer, version, engine, policies, asked)
    select the_org, d.id, d.answer, d.version, d.engine, d.policies, d.asked
      from json_to_recordset(ends) as d(id text, answer text, version text, engine text, policies text[], asked json)
     where d.answer is not null and d.id = any(ended);
    insert into audit_inbox (id, log, at, header, data, salt)
    select n.note, the_org, n.at, n.header, n.data, decode(n.salt, 'hex')
      from json_to_recordset(ends) as n(id text, note text, at timestamptz, header jsonb, data jsonb, salt text)
     where n.id = any(ended);
  end if;
  return coalesce(ended, '{}');
end $$;

create table backtest (
  org text not null references org,
  id text primary key,
  draft json not null,
  since timestamptz not null,
  until timestamptz not null,
  state text not null check (state in ('waiting', 'running', 'done', 'cancelled', 'failed')),
  calls bigint not null default 0,
  seen bigint not null default 0,
  report json,
  says text,
  asked_by text not null,
  asked_at timestamptz not null,
  ended_at timestamptz,
  unique (org, id),
  check (since < until),
  check ((state in ('done', 'cancelled', 'failed')) = (ended_at is not null)),
  check ((state = 'done') = (report is not null)),
  check ((state = 'failed') = (says is not null))
);
comment on table backtest is 'A run of recorded calls through a draft of the policies. calls: how many there are, as counted at the start; seen: how far it is. report: what would change, with ids and counts, never the facts of a call.';
create index backtest_listed on backtest (org, id desc);
alter table backtest enable row level security;
create policy backtest_of_org on backtest to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on backtest to gatehouse_app;
grant update (state, calls, seen, report, says, ended_at) on backtest to gatehouse_app;
