-- The log. Written by everybody into the inbox, moved by the sequencer into audit_event, changed by nobody.
create table audit_inbox (
  log text not null,
  arrived bigint generated always as identity,
  id text not null,
  at timestamptz not null,
  header jsonb not null,
  data jsonb not null,
  salt bytea not null,
  primary key (log, arrived)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);
comment on table audit_inbox is 'Events that are durable but have no position yet. A row is written in the transaction of the change it tells of.';
alter table audit_inbox enable row level security;
create policy audit_inbox_write on audit_inbox for insert to gatehouse_app with check (log in (app_org(), app_parent()));
create policy audit_inbox_take on audit_inbox to gatehouse_sequencer using (true);
grant insert on audit_inbox to gatehouse_app;
grant select, delete on audit_inbox to gatehouse_sequencer;

create table audit_event (
  log text not null,
  seq bigint not null check (seq >= 0),
  at timestamptz not null,
  id text not null,
  type text not null,
  actor text,
  connector text,
  call text,
  header jsonb not null,
  data jsonb not null,
  salt bytea not null,
  commitment bytea not null check (octet_length(commitment) = 32),
  leaf bytea not null check (octet_length(leaf) = 32),
  -- `at` is there because a partitioned table asks for it; that (log, seq) alone is unique follows from audit_head's fence.
  primary key (log, seq, at)
) partition by range (at);
comment on table audit_event is 'The log: one row per event at its position. Columns beside header, data and salt repeat the header for searching; what counts is the header.';
create index audit_event_type on audit_event (log, type, seq);
create index audit_event_actor on audit_event (log, actor, seq) where actor is not null;
create index audit_event_connector on audit_event (log, connector, seq) where connector is not null;
create index audit_event_call on audit_event (log, call, seq) where call is not null;
alter table audit_event enable row level security;
create policy audit_event_read on audit_event for select to gatehouse_app using (log in (app_org(), app_parent()));
create policy audit_event_append on audit_event for insert to gatehouse_sequencer with check (true);
grant select on audit_event to gatehouse_app;
grant insert on audit_event to gatehouse_sequencer;

create table audit_event_default partition of audit_event default;
comment on table audit_event_default is 'Events whose time lies in no monthly partition: a node with a wrong clock, or a sequencer that has not made the month yet.';
alter table audit_event_default enable row level security;

-- Makes the monthly partitions from this month on. Definer, because only the owner may create tables. A month that the default partition
-- already has rows of is left out: its rows stay where they are, and reading does not care.
create function make_audit_partitions(months int) returns int language plpgsql security definer set search_path = public set lock_timeout = '2s' as $$
declare
  first timestamp;
  part text;
  made int := 0;
begin
  if months not between 1 and 24 then raise exception 'make_audit_partitions: 1 to 24 months'; end if;
  for i in 0 .. months - 1 loop
    first := date_trunc('month', now() at time zone 'utc') + make_interval(months => i);
    part := 'audit_event_' || to_char(first, 'YYYY_MM');
    continue when to_regclass('public.' || part) is not null;
    begin
      execute format('create table %I partition of audit_event for values from (%L) to (%L)', part,
        first at time zone 'utc', (first + interval '1 month') at time zone 'utc');
      execute format('alter table %I enable row level security', part);
      execute format('comment on table %I is %L', part, 'Events of one month; see audit_event.');
      made := made + 1;
    exception when check_violation or duplicate_table or lock_not_available then null;
    end;
  end loop;
  return made;
end $$;
revoke all on function make_audit_partitions from public;
grant execute on function make_audit_partitions to gatehouse_sequencer;

create table audit_head (
  log text primary key,
  size bigint not null check (size >= 0),
  frontier bytea not null,
  root bytea not null check (octet_length(root) = 32),
  epoch bigint not null,
  owner text not null
);
comment on table audit_head is 'How far each log has grown: size, RFC 6962 root, the perfect subtrees it is made of, and the fence: the epoch of the one sequencer that may append.';
alter table audit_head enable row level security;
create policy audit_head_read on audit_head for select to gatehouse_app using (log in (app_org(), app_parent()));
create policy audit_head_grow on audit_head to gatehouse_sequencer using (true) with check (true);
grant select on audit_head to gatehouse_app;
grant select, insert, update on audit_head to gatehouse_sequencer;

create table audit_tile (
  log text not null,
  level int not null check (level between 0 and 7),
  index bigint not null check (index >= 0),
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (log, level, index)
);
alter table audit_tile alter column hashes set storage external;
comment on table audit_tile is 'The tree in tiles of up to 256 hashes (C2SP tlog-tiles). A full tile is final: the policy lets nobody write it again.';
alter table audit_tile enable row level security;
create policy audit_tile_read on audit_tile for select to gatehouse_app using (log in (app_org(), app_parent()));
create policy audit_tile_load on audit_tile for select to gatehouse_sequencer using (true);
create policy audit_tile_add on audit_tile for insert to gatehouse_sequencer with check (true);
create policy audit_tile_fill on audit_tile for update to gatehouse_sequencer using (octet_length(hashes) < 8192) with check (true);
grant select on audit_tile to gatehouse_app;
grant select, insert, update on audit_tile to gatehouse_sequencer;

create table audit_checkpoint (
  log text not null,
  size bigint not null check (size >= 0),
  at timestamptz not null,
  note text not null,
  primary key (log, size)
);
comment on table audit_checkpoint is 'Signed statements of a log''s size and root (C2SP tlog-checkpoint). Never signed twice for one size, never changed.';
alter table audit_checkpoint enable row level security;
create policy audit_checkpoint_read on audit_checkpoint for select to gatehouse_app using (log in (app_org(), app_parent()));
create policy audit_checkpoint_load on audit_checkpoint for select to gatehouse_sequencer using (true);
create policy audit_checkpoint_add on audit_checkpoint for insert to gatehouse_sequencer with check (true);
grant select on audit_checkpoint to gatehouse_app;
grant select, insert on audit_checkpoint to gatehouse_sequencer;
