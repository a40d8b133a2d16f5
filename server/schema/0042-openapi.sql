-- Services that were imported by their OpenAPI document: which document, and its operations as tools run them.

create table openapi_document (
  org text not null,
  connector text not null,
  source text,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  openapi text not null check (openapi in ('3.0', '3.1')),
  title text not null,
  service_version text not null,
  generation int not null check (generation > 0),
  imported_by text not null,
  imported_at timestamptz not null,
  primary key (org, connector),
  foreign key (org, connector) references connector (org, id)
);
comment on table openapi_document is 'The OpenAPI document that a connector was imported by last. source: the address it was fetched from (null: it was given). generation counts imports; operations are cached by it.';
alter table openapi_document enable row level security;
create policy openapi_document_of_org on openapi_document to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on openapi_document to gatehouse_app;
grant update (source, sha256, openapi, title, service_version, generation, imported_by, imported_at) on openapi_document to gatehouse_app;

create table openapi_operation (
  org text not null,
  connector text not null,
  name text not null,
  key text not null,
  n int not null,
  operation text not null,
  primary key (org, connector, name),
  unique (org, connector, key),
  foreign key (org, connector) references openapi_document (org, connector)
);
comment on table openapi_operation is 'An operation that an administrator chose, by the name of its tool. key: method and path; n: its place in the document; operation: JSON of what a call sends and what its arguments must be. What of it may be used, the reviews of its tool say.';
alter table openapi_operation enable row level security;
create policy openapi_operation_of_org on openapi_operation to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on openapi_operation to gatehouse_app;

-- Such a service may be behind a tunnel, as a server of one's own may.
alter table connector drop constraint connector_check1;
alter table connector add constraint connector_tunnel
  check (tunnel is null or (private_host is null and not origins_private and type in ('mcp', 'openapi')));
