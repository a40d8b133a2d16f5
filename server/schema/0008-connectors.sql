-- Systems that an organization made available, and what their tools are known to be.
create table connector (
  org text not null references org,
  id text primary key,
  slug text not null check (slug ~ '^[a-z0-9](-?[a-z0-9])*$' and length(slug) <= 40),
  name text not null,
  url text not null,
  private_host text,
  bearer bytea,
  bearer_generation int not null default 0,
  state text not null check (state in ('on', 'off')),
  created_at timestamptz not null,
  unique (org, slug),
  unique (org, id),
  check (bearer is null or bearer_generation > 0)
);
comment on table connector is 'An MCP server made available in an org. The bearer is sealed for this row; private_host is the one host whose private addresses an administrator allowed.';
alter table connector enable row level security;
create policy connector_of_org on connector to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on connector to gatehouse_app;

create table tool (
  org text not null,
  connector text not null,
  name text not null,
  pin text not null check (pin ~ '^[0-9a-f]{64}$'),
  definition text not null,
  class text check (class in ('read', 'write', 'destructive')),
  reviewed_pin text,
  reviewed_definition text,
  reviewed_by text,
  reviewed_at timestamptz,
  first_seen timestamptz not null,
  seen_at timestamptz not null,
  removed_at timestamptz,
  -- Follows from the pins, so that it cannot contradict them: a definition that comes back as reviewed is reviewed.
  state text not null generated always as (
    case when removed_at is not null then 'removed' when reviewed_pin is null then 'quarantined'
         when reviewed_pin = pin then 'reviewed' else 'changed' end) stored,
  primary key (org, connector, name),
  foreign key (org, connector) references connector (org, id),
  check ((reviewed_pin is null) = (class is null))
);
comment on table tool is 'One callable of a connector: its definition as last seen (canonical text), its pin, and what a reviewer said about which pin. Only state reviewed is shown or callable.';
alter table tool enable row level security;
create policy tool_of_org on tool to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on tool to gatehouse_app;
