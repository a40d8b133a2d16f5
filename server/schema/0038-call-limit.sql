-- How many calls of an org may be under way and begin within a minute, where an administrator said.

create table call_limit (
  org text not null references org,
  about text not null check (about = 'all' or about ~ '^con_[0-9a-f]{32}$'),
  person_at_once int check (person_at_once between 0 and 1000000),
  person_per_minute int check (person_per_minute between 0 and 1000000),
  connector_at_once int check (connector_at_once between 0 and 1000000),
  connector_per_minute int check (connector_per_minute between 0 and 1000000),
  tool_at_once int check (tool_at_once between 0 and 1000000),
  tool_per_minute int check (tool_per_minute between 0 and 1000000),
  set_by text not null,
  set_at timestamptz not null,
  primary key (org, about)
);
comment on table call_limit is 'Limits of calls for a person, a connector and a tool, at each node: about is all (for the whole org) or the id of a connector, whose limits of connector and tool stand in place of those for all and whose limits of a person come on top of them. null: nothing was said; 0: no limit. No row: nothing was said.';
alter table call_limit enable row level security;
create policy call_limit_of_org on call_limit to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on call_limit to gatehouse_app;
