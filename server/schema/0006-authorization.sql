-- Our OAuth 2.1 authorization server. Its rows are read before the organization is known, so they have a database role of their own.
create table oauth_item (
  model text not null,
  id text not null,
  grant_id text,
  predecessor text,
  uid text,
  user_code text,
  account_id text,
  client_id text,
  client_name text,
  parent text,
  org text,
  payload jsonb not null,
  consumed_at timestamptz,
  expires_at timestamptz,
  created_at timestamptz not null,
  primary key (model, id),
  check (model <> 'Grant' or (parent is not null and org is not null and account_id is not null and client_id is not null))
);
comment on table oauth_item is 'What the authorization server remembers: clients, consents (model Grant), codes and refresh tokens by SHA-256 only, interactions sealed. Only the role gatehouse_oauth sees rows.';
create index oauth_item_grant on oauth_item (grant_id) where grant_id is not null;
create index oauth_item_predecessor on oauth_item (predecessor) where predecessor is not null;
create index oauth_item_account on oauth_item (account_id) where account_id is not null;
create index oauth_item_org on oauth_item (org, id) where org is not null;
create index oauth_item_client on oauth_item (client_id) where client_id is not null;
create index oauth_item_expires on oauth_item (expires_at) where expires_at is not null;
create index oauth_item_consumed on oauth_item (consumed_at) where consumed_at is not null;
create unique index oauth_item_uid on oauth_item (uid) where uid is not null;
create unique index oauth_item_user_code on oauth_item (user_code) where user_code is not null;
alter table oauth_item enable row level security;
create policy oauth_item_own_role on oauth_item to gatehouse_oauth using (true) with check (true);
grant select, insert, update, delete on oauth_item to gatehouse_oauth;

create table oauth_signing_key (
  kid text primary key,
  public jsonb not null,
  sealed bytea not null,
  published_at timestamptz not null,
  signs_from timestamptz,
  retired_at timestamptz,
  check (retired_at is null or signs_from is not null)
);
comment on table oauth_signing_key is 'Keys of our access tokens. Published first, signs later, retired last: whoever caches the public ones never meets an unknown key. The private half is sealed.';
create unique index oauth_signing_key_one_signs on oauth_signing_key ((true)) where signs_from is not null and retired_at is null;
alter table oauth_signing_key enable row level security;
create policy oauth_signing_key_own_role on oauth_signing_key to gatehouse_oauth using (true) with check (true);
create policy oauth_signing_key_public on oauth_signing_key for select to gatehouse_app using (true);
grant select, insert, update, delete on oauth_signing_key to gatehouse_oauth;
grant select (kid, public) on oauth_signing_key to gatehouse_app;

-- Who a token's subject is, and whether they may still come in. No row: the person is no longer a member.
create function lookup_member(member_id text)
returns table (parent text, org text, org_name text, member text, user_id text, role text, state text)
language sql stable security definer set search_path = public as $$
  select o.parent, m.org, o.name, m.id, m.user_id, m.role, u.state
    from member m join org o on o.id = m.org join app_user u on u.id = m.user_id and u.parent = o.parent
   where m.id = member_id
$$;
revoke all on function lookup_member from public;
grant execute on function lookup_member to gatehouse_app, gatehouse_oauth;

-- The organizations that a person may act in, for the choice on the consent page.
create function lookup_memberships_of_user(wanted_user text)
returns table (parent text, org text, org_name text, member text, user_id text, role text, state text)
language sql stable security definer set search_path = public as $$
  select o.parent, m.org, o.name, m.id, m.user_id, m.role, u.state
    from member m join org o on o.id = m.org join app_user u on u.id = m.user_id and u.parent = o.parent
   where m.user_id = wanted_user
   order by o.name, m.id
$$;
revoke all on function lookup_memberships_of_user from public;
grant execute on function lookup_memberships_of_user to gatehouse_app, gatehouse_oauth;

-- The person behind a consent, if consent, membership and account are all alive at `at`. Asked for every access token that is presented.
create function lookup_live_grant(grant_id text, at timestamptz)
returns table (parent text, org text, member text, user_id text, role text, client text)
language sql stable security definer set search_path = public as $$
  select o.parent, m.org, m.id, m.user_id, m.role, g.client_id
    from oauth_item g
    join member m on m.id = g.account_id and m.org = g.org
    join org o on o.id = m.org
    join app_user u on u.id = m.user_id and u.parent = o.parent and u.state = 'active'
   where g.model = 'Grant' and g.id = lookup_live_grant.grant_id and g.expires_at > lookup_live_grant.at
$$;
revoke all on function lookup_live_grant from public;
grant execute on function lookup_live_grant to gatehouse_app;

-- The consents of the organization of this transaction, without a secret. Definer, because gatehouse_app sees no row of oauth_item.
create function list_oauth_grants(of_member text, pattern text, after text, at_most int, at timestamptz)
returns table (id text, member text, client text, client_name text, scopes jsonb, given_at timestamptz, expires_at timestamptz, last_used_at timestamptz)
language sql stable security definer set search_path = public as $$
  select g.id, g.account_id, g.client_id, g.client_name, coalesce(g.payload -> 'resources', '{}'::jsonb), g.created_at, g.expires_at,
         (select max(t.created_at) from oauth_item t where t.grant_id = g.id and t.model = 'RefreshToken')
    from oauth_item g
   where g.model = 'Grant' and g.org = app_org() and g.expires_at > list_oauth_grants.at
     and (of_member is null or g.account_id = of_member) and g.id > after
     and (pattern is null or g.client_name ilike pattern or g.client_id ilike pattern)
   order by g.id
   limit least(at_most, 201)
$$;
revoke all on function list_oauth_grants from public;
grant execute on function list_oauth_grants to gatehouse_app;

-- Ends a consent of the organization of this transaction and everything that stands on it; no row if there is none.
-- The lock is the adapter's: whoever ends or extends one consent waits for the other.
create function revoke_oauth_grant(wanted text, of_member text)
returns table (member text, client text) language plpgsql security definer set search_path = public as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(wanted, 0));
  return query delete from oauth_item g
    where g.model = 'Grant' and g.id = wanted and g.org = app_org() and (of_member is null or g.account_id = of_member)
    returning g.account_id, g.client_id;
  if found then
    delete from oauth_item t where t.grant_id = wanted;
  end if;
end $$;
revoke all on function revoke_oauth_grant from public;
grant execute on function revoke_oauth_grant to gatehouse_app;

-- How the role gatehouse_oauth writes the log: it has no right on audit_inbox itself. Only events of this room, only into the log of an
-- organization or parent that exists, only by the actors that this room knows. `bump`: whether caches must look again (a consent ended).
create function record_oauth_event(of_parent text, of_org text, event_id text, event_at timestamptz, header jsonb, data jsonb, salt bytea, bump boolean)
returns void language plpgsql security definer set search_path = public as $$
declare
  target text := coalesce(of_org, of_parent);
begin
  if of_org is null and not exists (select from parent p where p.id = of_parent)
     or of_org is not null and not exists (select from org o where o.id = of_org and o.parent = of_parent) then
    raise exception 'record_oauth_event: no such log';
  end if;
  if header ->> 'type' is null or header ->> 'type' !~ '^authorization\.[a-z_]+$' or header ->> 'log' is distinct from target
     or header ->> 'id' is distinct from event_id
     or coalesce(header -> 'actor' ->> 'kind', '') not in ('user', 'agent', 'nobody') then
    raise exception 'record_oauth_event: not an event of this room';
  end if;
  insert into audit_inbox (id, log, at, header, data, salt) values (event_id, target, event_at, header, data, salt);
  if bump then
    perform set_config('app.parent', of_parent, true), set_config('app.org', coalesce(of_org, ''), true);
    perform bump_version(of_parent, of_org);
    perform set_config('app.parent', '', true), set_config('app.org', '', true);
  end if;
end $$;
revoke all on function record_oauth_event from public;
grant execute on function record_oauth_event to gatehouse_oauth;

-- Whose logs say that a client registered itself: registration is open to the whole deployment, so every parent is told.
create function lookup_parents() returns table (parent text) language sql stable security definer set search_path = public as $$
  select id from parent order by id
$$;
revoke all on function lookup_parents from public;
grant execute on function lookup_parents to gatehouse_oauth;

-- Consents whose person is no longer a member; the sweep ends them. Until then nobody can use them (lookup_live_grant).
create function lookup_orphaned_grants(at_most int) returns table (grant_id text) language sql stable security definer set search_path = public as $$
  select g.id from oauth_item g
   where g.model = 'Grant' and not exists (select from member m where m.id = g.account_id)
   limit least(at_most, 5000)
$$;
revoke all on function lookup_orphaned_grants from public;
grant execute on function lookup_orphaned_grants to gatehouse_oauth;

-- Whether a DPoP proof is shown to any node for the first time. Remembers its hash and nothing else, for as long as the proof is young enough
-- to be accepted; the primary key decides. No event: the call that it comes with has one.
create function claim_dpop_proof(proof_hash text, at timestamptz, until timestamptz) returns boolean
language plpgsql security definer set search_path = public as $$
begin
  insert into oauth_item (model, id, payload, expires_at, created_at) values ('DpopProof', proof_hash, '{}', until, at) on conflict do nothing;
  return found;
end $$;
revoke all on function claim_dpop_proof from public;
grant execute on function claim_dpop_proof to gatehouse_app;
