-- Enterprise-managed authorization: an identity provider of the parent vouches for a person towards a client (ID-JAG), without a consent page.
alter table sso_connection add column id_jag text not null default 'off' check (id_jag in ('off', 'read', 'write'));
alter table sso_connection add constraint sso_connection_id_jag_kind check (id_jag = 'off' or kind = 'oidc');
comment on column sso_connection.id_jag is 'OpenID: whether assertions for agents (ID-JAG) of this issuer are taken, and up to which scope.';
-- INVARIANT (one issuer, one parent): an assertion names its issuer and nobody else, so of all parents one at most takes it. Else a second
-- parent that names the same issuer could have it say who somebody is there.
create unique index sso_connection_id_jag on sso_connection ((discovery ->> 'issuer')) where id_jag <> 'off';

create table id_jag_seen (
  parent text not null,
  connection text not null,
  hash bytea not null,
  until timestamptz not null,
  primary key (parent, connection, hash),
  foreign key (parent, connection) references sso_connection (parent, id)
);
comment on table id_jag_seen is 'Assertions (ID-JAG) that were taken and must not be taken again while they would still be valid: SHA-256 of their jti. The insert is the guard.';
create index id_jag_seen_until on id_jag_seen (parent, until);
alter table id_jag_seen enable row level security;
create policy id_jag_seen_of_parent on id_jag_seen to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on id_jag_seen to gatehouse_app;
insert into merge_rule (tab, col, what, scope, within) values ('id_jag_seen', 'parent', 'moves', 'connection', 'connection');

-- Every presented assertion of a known issuer leaves a trace.
alter table sign_in_trace drop constraint sign_in_trace_method_check;
alter table sign_in_trace add constraint sign_in_trace_method_check check (method in ('sso', 'passkey', 'mail_link', 'setup_link', 'id_jag'));
alter table sign_in_trace drop constraint sign_in_trace_connection_check;
alter table sign_in_trace add constraint sign_in_trace_connection_check check ((method in ('sso', 'id_jag')) = (connection is not null));
alter table sign_in_trace drop constraint sign_in_trace_user_check;
alter table sign_in_trace add constraint sign_in_trace_user_check check (method in ('sso', 'id_jag') or user_id is not null);
comment on table sign_in_trace is 'What happened at each stage of one sign-in: found, expected, code. outcome is signed_in, linked, tested, vouched (an agent got a token), or the code of the refusal. connection: of single sign-on and ID-JAG only; user_id: whose passkey or link it was, or who was let in.';

-- Whose issuer an assertion names, before anything of it is proved: the connection that takes assertions, else any. shared: a second parent
-- has the same issuer, so that without a connection that takes assertions it is nobody's in particular.
create function lookup_id_jag_issuer(issuer text) returns table (parent text, connection text, shared boolean)
language sql stable security definer set search_path = public as $$
  select c.parent, c.id, exists (select from sso_connection x where x.discovery ->> 'issuer' = lookup_id_jag_issuer.issuer and x.parent <> c.parent)
    from sso_connection c
   where c.kind = 'oidc' and c.discovery ->> 'issuer' = lookup_id_jag_issuer.issuer
   order by c.id_jag <> 'off' desc, c.id limit 1
$$;
revoke all on function lookup_id_jag_issuer from public;
grant execute on function lookup_id_jag_issuer to gatehouse_app;
create index sso_connection_issuer on sso_connection ((discovery ->> 'issuer'));

-- Whether another connection, of whichever parent, takes assertions of this one's issuer.
create function id_jag_taken(wanted text) returns boolean
language sql stable security definer set search_path = public as $$
  select exists (select from sso_connection mine join sso_connection c on c.discovery ->> 'issuer' = mine.discovery ->> 'issuer'
                  where mine.id = wanted and mine.parent = app_parent() and c.id <> mine.id and c.id_jag <> 'off')
$$;
revoke all on function id_jag_taken from public;
grant execute on function id_jag_taken to gatehouse_app;

-- A consent that an identity provider gave instead of its person lives as long as that provider may give it.
alter table oauth_item add column connection text;
comment on column oauth_item.connection is 'Of a consent: the connection whose identity provider vouched for it (ID-JAG); null: the person said yes on the consent page.';
create or replace function lookup_live_grant(grant_id text, at timestamptz)
returns table (parent text, org text, member text, user_id text, role text, client text)
language sql stable security definer set search_path = public as $$
  select o.parent, m.org, m.id, m.user_id, m.role, g.client_id
    from oauth_item g
    join member m on m.id = g.account_id and m.org = g.org
    join org o on o.id = m.org
    join app_user u on u.id = m.user_id and u.parent = o.parent and u.state = 'active'
   where g.model = 'Grant' and g.id = lookup_live_grant.grant_id and g.expires_at > lookup_live_grant.at
     and (g.connection is null
          or exists (select from sso_connection c where c.id = g.connection and c.parent = o.parent and c.state = 'active' and c.id_jag <> 'off'))
$$;
drop function list_oauth_grants;
create function list_oauth_grants(of_member text, pattern text, after text, at_most int, at timestamptz)
returns table (id text, member text, client text, client_name text, scopes jsonb, given_at timestamptz, expires_at timestamptz, last_used_at timestamptz, connection text)
language sql stable security definer set search_path = public as $$
  select g.id, g.account_id, g.client_id, g.client_name, coalesce(g.payload -> 'resources', '{}'::jsonb), g.created_at, g.expires_at,
         (select max(t.created_at) from oauth_item t where t.grant_id = g.id and t.model = 'RefreshToken'), g.connection
    from oauth_item g
   where g.model = 'Grant' and g.org = app_org() and g.expires_at > list_oauth_grants.at
     and (of_member is null or g.account_id = of_member) and g.id > after
     and (pattern is null or g.client_name ilike pattern or g.client_id ilike pattern)
   order by g.id
   limit least(at_most, 201)
$$;
revoke all on function list_oauth_grants from public;
grant execute on function list_oauth_grants to gatehouse_app;

select defer_parent_references();
