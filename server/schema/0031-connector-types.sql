-- A connector is of a type of the catalogue, or a server of the customer's own (mcp).
alter table connector
  add column type text not null default 'mcp' check (type ~ '^[a-z0-9](-?[a-z0-9])*$'),
  add column mode text not null default 'remote' check (mode in ('builtin', 'remote')),
  add column act_as text not null default 'none' check (act_as in ('none', 'person', 'organization', 'organization_as_person')),
  add column access text not null default 'read_write' check (access in ('read_only', 'read_write')),
  add column settings jsonb not null default '{}',
  add column origins jsonb not null default '{}',
  add column origins_private boolean not null default false;
alter table connector alter column type drop default, alter column mode drop default, alter column act_as drop default, alter column access drop default;
comment on table connector is 'A system made available in an org: an MCP server of the customer''s (type mcp), a vendor''s MCP server (mode remote) or our tools on a vendor''s API (builtin). act_as: whose account calls use. settings: what its manifest asks for; origins: addresses by role that stand in place of the manifest''s, inside the network where origins_private. The bearer is sealed for this row; private_host is the one host whose private addresses an administrator allowed.';
