-- Set-up links: what somebody without an account here, who runs the customer's identity provider, may connect.
create table idp_setup_link (
  parent text not null references parent,
  org text not null references org,
  id text primary key,
  hash bytea not null unique,
  name text not null,
  tasks text[] not null check (tasks <@ array['domain', 'sign_in', 'directory'] and cardinality(tasks) between 1 and 3),
  activates boolean not null,
  allow_private text[] not null,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  opened_at timestamptz,
  revoked_at timestamptz,
  provider text,
  protocol text check (protocol in ('oidc', 'saml')),
  connection text,
  directory text,
  domains text[] not null default '{}',
  unique (parent, id),
  check (expires_at <= created_at + interval '30 days'),
  check (protocol is null or provider is not null)
);
comment on table idp_setup_link is 'A link that lets its holder do some set-up tasks for one org of one parent, until it ends. SHA-256 of the token only. created_by: the user who stands behind it. connection, directory, domains: what was made through it, and all that its holder sees; without foreign keys, because a merge may leave them with another parent.';
create index idp_setup_link_of_org on idp_setup_link (parent, org, id desc);
alter table idp_setup_link enable row level security;
create policy idp_setup_link_of_parent on idp_setup_link to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on idp_setup_link to gatehouse_app;
grant update (opened_at, revoked_at, provider, protocol, connection, directory, domains) on idp_setup_link to gatehouse_app;

-- Where a link leads, for who holds its token.
create function lookup_idp_setup_link(token_hash bytea) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select l.parent, l.org from idp_setup_link l where l.hash = token_hash
$$;
revoke all on function lookup_idp_setup_link from public;
grant execute on function lookup_idp_setup_link to gatehouse_app;

insert into merge_rule (tab, col, what, scope, within) values
  ('idp_setup_link', 'parent', 'moves', 'org', 'org'),
  ('idp_setup_link', 'created_by', 'person', 'org', 'org');
select defer_parent_references();
