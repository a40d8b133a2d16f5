-- What nodes leave for each other while two revisions of MCP are translated: no node has anything that another one needs.
create table gateway_carried (
  org text not null references org,
  key text not null check (length(key) between 1 and 300),
  sealed bytea not null,
  expires_at timestamptz not null,
  primary key (org, key)
);
comment on table gateway_carried is 'Sessions at older MCP servers, answers of clients to questions, and calls that go on after a question; sealed with a key derived from the root key, for at most a day. Nothing in it grants anything.';
create index gateway_carried_over on gateway_carried (org, expires_at);
alter table gateway_carried enable row level security;
create policy gateway_carried_of_org on gateway_carried to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update, delete on gateway_carried to gatehouse_app;
