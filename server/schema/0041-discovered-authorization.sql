-- Upstream authorization that an MCP server names itself: what was found, who we are there, and what it asks for later.

create table connector_authorization (
  org text not null,
  connector text not null,
  issuer text not null check (issuer <> ''),
  found jsonb not null,
  found_at timestamptz not null,
  primary key (org, connector),
  foreign key (org, connector) references connector (org, id)
);
comment on table connector_authorization is 'Which authorization server an MCP server named, and what both say of themselves in their metadata, as it was last read and checked (found_at). Credentials belong to one issuer: what another gave is not sent to this one.';
alter table connector_authorization enable row level security;
create policy connector_authorization_of_org on connector_authorization to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on connector_authorization to gatehouse_app;
grant update (issuer, found, found_at) on connector_authorization to gatehouse_app;

alter table connector_app
  add column way text not null default 'given' check (way in ('given', 'document', 'registered')),
  add column issuer text,
  add column method text check (method in ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
  add check (way = 'given' or issuer is not null);
alter table connector_app alter column way drop default;
comment on column connector_app.way is 'How the client id came to be: an administrator entered it, it is the address of our own metadata document, or we registered (RFC 7591).';
comment on column connector_app.issuer is 'The authorization server that it belongs to, where the MCP server names one: it is not used at another.';
comment on column connector_app.method is 'How it proves itself at the token endpoint, where a registration said so.';
grant update (way, issuer, method) on connector_app to gatehouse_app;

alter table connection
  add column asked_scopes text[] not null default '{}',
  add column asked_tries int not null default 0,
  add column asked_generation int;
comment on column connection.asked_scopes is 'Scopes that the MCP server asked for beyond the grant (insufficient_scope): the next consent asks for them, too. asked_tries: how many grants it found too small; asked_generation: the last of them.';
grant update (asked_scopes, asked_tries, asked_generation) on connection to gatehouse_app;

alter table connection_consent
  add column scopes text[],
  add column issuer text;
comment on column connection_consent.scopes is 'What was asked for.';
comment on column connection_consent.issuer is 'The authorization server that the person was sent to, where the MCP server names one: the answer must be its.';

select defer_parent_references();
