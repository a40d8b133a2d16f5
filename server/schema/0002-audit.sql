-- The log. Written by everybody into the inbox, moved by the sequencer into audit_event, changed by nobody.
create table audit_inbox (
  id text primary key,
  log text not null,
  at timestamptz not null,
  header jsonb not null,
  data jsonb not null,
  salt bytea not null,
  arrived bigint generated always as identity
);
comment on table audit_inbox is 'Events that are durable but have no position yet. A row is written in the transaction of the change it tells of.';
alter table audit_inbox enable row level security;
create policy audit_inbox_write on audit_inbox for insert to gatehouse_app with check (log in (app_org(), app_parent()));
create policy audit_inbox_take on audit_inbox to gatehouse_sequencer using (true);
grant insert on audit_inbox to gatehouse_app;
grant select, delete on audit_inbox to gatehouse_sequencer;
create index audit_inbox_order on audit_inbox (log, arrived);
