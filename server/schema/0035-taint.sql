-- What a session has read counts for what it may do next: facts of reviews, what was read, and the control that looks at both. And controls
-- of whole types of connectors.

alter table tool_definition
  add column brings text[] check (brings <@ array['untrusted', 'private']),
  add column outward boolean,
  add check (verdict = 'accepted' or (brings is null and outward is null));
comment on table tool_definition is 'A definition of a tool (or, as @instructions, what a connector tells clients) that was seen at some time. definition: canonical text of what the pin covers; whole: everything that came with it. verdict: what a reviewer said; class, projection and stricter (a JSON Schema) bind calls while this is the definition. brings: what its answers bring into a session (untrusted text, private content); outward: whether it can carry content out; null: nobody said, and the class says (a read brings both, a destructive one is outward). Older unreviewed ones of a tool that keeps changing are forgotten.';
grant update (brings, outward) on tool_definition to gatehouse_app;

create table session_read (
  org text not null references org,
  session text not null check (session ~ '^[0-9a-f]{64}$'),
  connector text not null,
  tool text not null,
  untrusted boolean not null,
  private boolean not null,
  at timestamptz not null,
  primary key (org, session, connector, tool, untrusted, private),
  check (untrusted or private)
);
comment on table session_read is 'From which tools a session has read, what they brought, and about when last. session: SHA-256 of whose session it is (one client for one member, or a run that a client names). Written with the end of the call, before its answer is given. Forgotten after the longest time that an org can set.';
create index session_read_at on session_read (org, at);
alter table session_read enable row level security;
create policy session_read_of_org on session_read to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on session_read to gatehouse_app;
grant update (at) on session_read to gatehouse_app;

-- Forgets what was read before `edge`, at most `most` per org; how many it forgot.
create function prune_session_reads(edge timestamptz, most int) returns int
language plpgsql security definer set search_path = public as $$
declare
  o record;
  gone int;
  total int := 0;
begin
  for o in select id from org loop
    delete from session_read d
     where d.org = o.id and d.ctid = any(array(select x.ctid from session_read x where x.org = o.id and x.at < edge limit most));
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  return total;
end $$;
revoke all on function prune_session_reads from public;
grant execute on function prune_session_reads to gatehouse_app;

-- As in 0022, and keeps with the ends what sessions have read. A node of the release before gives no reads.
drop function record_calls(text, text, text, json, json);
create function record_calls(the_parent text, the_org text, the_node text, opens json, ends json, reads json default '[]') returns text[]
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
  if json_array_length(reads) > 0 then
    -- In one order, so that two statements for one session wait for each other and not for ever.
    insert into session_read (org, session, connector, tool, untrusted, private, at)
    select the_org, r.session, r.connector, r.tool, r.untrusted, r.private, max(r.at)
      from json_to_recordset(reads) as r(session text, connector text, tool text, untrusted boolean, private boolean, at timestamptz)
     group by r.session, r.connector, r.tool, r.untrusted, r.private
     order by r.session, r.connector, r.tool, r.untrusted, r.private
    on conflict (org, session, connector, tool, untrusted, private) do update set at = greatest(session_read.at, excluded.at);
  end if;
  return coalesce(ended, '{}');
end $$;
revoke all on function record_calls from public;
grant execute on function record_calls to gatehouse_app;

alter table policy_setting
  add column after_reading text not null default 'ask' check (after_reading in ('ask', 'forbid', 'off')),
  add column session_hours int not null default 8 check (session_hours between 1 and 168);
alter table policy_setting alter column after_reading drop default, alter column session_hours drop default;
comment on table policy_setting is 'What holds in an org where nothing else is said, and by whose clock rules speak of time. after_reading: what becomes of an outward action of a session that has read untrusted and private content in the last session_hours. No row: regulated, which is everything off until it is allowed, UTC, ask, 8 hours. In force from the version since until before the version until.';

alter table approval drop constraint approval_asked_for_check;
alter table approval
  add constraint approval_asked_for_check check (asked_for in ('policy', 'content', 'session')),
  add column has_read jsonb,
  add check (asked_for <> 'session' or has_read is not null);
comment on table approval is 'A call that waits for a person, or waited. The action is kept as canonical text. All states but pending are for ever; what a yes is worth is in approval_grant. consent: the OAuth grant by which the agent asked. asked_for: whether a rule wants a yes, what was found in the content, or what its session had read; has_read: from which connectors and tools, where that was looked at.';

create table policy_type_control (
  org text not null references org,
  id text not null,
  type text not null check (type ~ '^[a-z0-9](-?[a-z0-9])*$'),
  state text not null check (state in ('on', 'groups', 'off')),
  access text not null check (access in ('off', 'read', 'read_write')),
  set_by text not null,
  set_at timestamptz not null,
  since int not null,
  until int,
  primary key (org, id, since),
  check (state <> 'off' or access = 'off')
);
comment on table policy_type_control is 'Whether connectors of a type of the catalogue may be used at all (off: by nobody, groups: by nobody but those of policy_type_group, whatever a rule says), and which access those who may have without any rule. No row: on, and none but by rules. In force from the version since until before the version until.';
create unique index policy_type_control_live on policy_type_control (org, type) where until is null;
alter table policy_type_control enable row level security;
create policy policy_type_control_of_org on policy_type_control to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on policy_type_control to gatehouse_app;
grant update (until) on policy_type_control to gatehouse_app;

create table policy_type_group (
  org text not null,
  control text not null,
  since int not null,
  group_id text not null,
  primary key (org, control, since, group_id),
  foreign key (org, control, since) references policy_type_control (org, id, since)
);
comment on table policy_type_group is 'The groups to which a control of a type is restricted. group_id has no foreign key: a group that is gone lets nobody in.';
alter table policy_type_group enable row level security;
create policy policy_type_group_of_org on policy_type_group to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on policy_type_group to gatehouse_app;
insert into merge_rule (tab, col, what, scope, within) values ('policy_type_group', 'group_id', 'group', 'org', 'org');

select defer_parent_references();
