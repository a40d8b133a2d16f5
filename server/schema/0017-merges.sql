-- Joining two parents: an organization and its sisters, with their people, directories and connections, move under another parent, and back.

create table merge_proposal (
  parent text not null references parent,
  id text primary key,
  org text not null references org,
  org_name text not null,
  into_parent text not null references parent,
  into_org text not null references org,
  into_name text not null,
  proposed_by text not null,
  proposed_from text not null check (proposed_from in ('joining', 'receiving')),
  by_address boolean not null,
  shared_entries text not null check (shared_entries in ('refuse', 'receiving_decides')),
  state text not null check (state in ('draft', 'sent', 'approved_one', 'approved_both', 'applied', 'undone', 'expired', 'rejected', 'stale')),
  opened_at timestamptz,
  preview jsonb,
  preview_hash text check (preview_hash ~ '^[0-9a-f]{64}$'),
  joining_by text,
  joining_at timestamptz,
  receiving_by text,
  receiving_at timestamptz,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  applied_at timestamptz,
  undo_until timestamptz,
  ended_at timestamptz,
  ended_by text,
  unique (parent, id),
  check (parent <> into_parent),
  check ((preview is null) = (preview_hash is null)),
  check ((joining_by is null) = (joining_at is null)),
  check ((receiving_by is null) = (receiving_at is null)),
  check (joining_by is distinct from receiving_by or joining_by is null),
  check (state not in ('approved_both', 'applied', 'undone') or (joining_by is not null and receiving_by is not null and preview_hash is not null)),
  check ((state in ('applied', 'undone')) = (applied_at is not null and undo_until is not null)),
  check ((state in ('undone', 'expired', 'rejected')) = (ended_at is not null))
);
comment on table merge_proposal is 'A proposal that the parent `parent`, with all its orgs, joins `into_parent`; org and into_org are the two that talk. Seen by both sides. Approvals are bound to preview_hash, and end when it changes.';
create unique index merge_proposal_open on merge_proposal (parent, into_parent) where state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale');
create index merge_proposal_into on merge_proposal (into_parent, id);
create index merge_proposal_due on merge_proposal (expires_at) where state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale');
alter table merge_proposal enable row level security;
create policy merge_proposal_of_side on merge_proposal to gatehouse_app
  using (app_parent() in (parent, into_parent)) with check (app_parent() in (parent, into_parent));
grant select, insert on merge_proposal to gatehouse_app;
grant update (state, opened_at, preview, preview_hash, joining_by, joining_at, receiving_by, receiving_at, ended_at, ended_by) on merge_proposal to gatehouse_app;

create table merge_moved (
  parent text not null,
  merge text not null references merge_proposal,
  kind text not null check (kind in ('org', 'user', 'directory', 'connection', 'domain', 'joined', 'entry', 'attribute', 'group_made', 'group_joined')),
  id text not null,
  other text not null default '',
  saved jsonb,
  primary key (merge, kind, id, other)
);
comment on table merge_moved is 'What an applied merge moved and joined, so that it can be undone. joined: id was the account, other is it now. entry: a directory entry that was set aside, and its account. attribute: a row that had to make place. Only apply_merge and undo_merge touch it.';
alter table merge_moved enable row level security;

create table merge_rule (
  tab text not null,
  col text not null,
  what text not null check (what in ('moves', 'ends', 'person', 'group')),
  scope text not null check (scope in ('org', 'user', 'directory', 'connection', 'domain', 'scim_group', 'capture')),
  within text not null,
  primary key (tab, col, what)
);
comment on table merge_rule is 'How each table takes part in a merge. moves: rows with column parent go with what `within` names. ends: they are deleted instead, because they are sealed for their parent and only of use for days. person: col is an account that acts now, and follows when it is joined with another. group: col may be a group of an attribute. A migration with a new table of a parent adds its lines and ends with defer_parent_references(); server/org/merge-rules.test.ts finds one that does not.';
alter table merge_rule enable row level security;
insert into merge_rule (tab, col, what, scope, within) values
  ('org', 'parent', 'moves', 'org', 'id'),
  ('app_user', 'parent', 'moves', 'user', 'id'),
  ('directory', 'parent', 'moves', 'directory', 'id'),
  ('scim_token', 'parent', 'moves', 'directory', 'directory'),
  ('scim_client', 'parent', 'moves', 'directory', 'directory'),
  ('scim_user', 'parent', 'moves', 'directory', 'directory'),
  ('scim_email', 'parent', 'moves', 'directory', 'directory'),
  ('scim_group', 'parent', 'moves', 'directory', 'directory'),
  ('scim_membership', 'parent', 'moves', 'scim_group', 'group_id'),
  ('scim_journal', 'parent', 'moves', 'directory', 'directory'),
  ('scim_count', 'parent', 'moves', 'directory', 'directory'),
  ('sso_connection', 'parent', 'moves', 'connection', 'id'),
  ('identity_link', 'parent', 'moves', 'connection', 'connection'),
  ('identity_seen', 'parent', 'moves', 'connection', 'connection'),
  ('sign_in_trace', 'parent', 'moves', 'connection', 'connection'),
  ('session', 'parent', 'moves', 'user', 'user_id'),
  ('setup_link', 'parent', 'moves', 'user', 'user_id'),
  ('oauth_item', 'parent', 'moves', 'org', 'org'),
  ('org_provisioning', 'parent', 'moves', 'org', 'org'),
  ('org_group', 'parent', 'moves', 'org', 'org'),
  ('org_group_member', 'parent', 'moves', 'org', 'org'),
  ('saml_connection', 'parent', 'moves', 'connection', 'connection'),
  ('saml_certificate', 'parent', 'moves', 'connection', 'connection'),
  ('saml_seen', 'parent', 'moves', 'connection', 'connection'),
  ('saml_session', 'parent', 'moves', 'connection', 'connection'),
  ('saml_logout', 'parent', 'moves', 'connection', 'connection'),
  ('saml_message', 'parent', 'ends', 'connection', 'connection'),
  ('sign_in_attempt', 'parent', 'ends', 'connection', 'connection'),
  ('saml_key', 'parent', 'moves', 'org', 'org'),
  ('user_attribute', 'parent', 'moves', 'user', 'user_id'),
  ('domain', 'parent', 'moves', 'domain', 'id'),
  ('domain_check', 'parent', 'moves', 'domain', 'domain'),
  ('domain_capture', 'parent', 'moves', 'domain', 'domain'),
  ('domain_capture_offer', 'parent', 'moves', 'capture', 'capture'),
  ('domain_capture_offer', 'user_id', 'person', 'capture', 'capture'),
  ('member', 'user_id', 'person', 'org', 'org'),
  ('api_key', 'created_by', 'person', 'org', 'org'),
  ('rule', 'who_id', 'person', 'org', 'org'),
  ('approval', 'asker_user', 'person', 'org', 'org'),
  ('member_seat', 'user_id', 'person', 'org', 'org'),
  ('provisioning_exempt', 'user_id', 'person', 'org', 'org'),
  ('membership_tombstone', 'user_id', 'person', 'org', 'org'),
  ('provisioning_removal', 'user_id', 'person', 'org', 'org'),
  ('org_group_member', 'user_id', 'person', 'org', 'org'),
  ('message', 'user_id', 'person', 'org', 'org'),
  ('scim_user', 'user_id', 'person', 'directory', 'directory'),
  ('identity_link', 'user_id', 'person', 'connection', 'connection'),
  ('identity_seen', 'user_id', 'person', 'connection', 'connection'),
  ('sign_in_trace', 'user_id', 'person', 'connection', 'connection'),
  ('rule', 'who_id', 'group', 'org', 'org'),
  ('group_mapping', 'group_id', 'group', 'org', 'org');

-- A parent's rows change their parent one table after the other; the references among them are looked at when all have.
create function defer_parent_references() returns void language plpgsql set search_path = public as $$
declare c record;
begin
  for c in
    select k.conrelid::regclass as tab, k.conname from pg_constraint k
     where k.contype = 'f' and k.connamespace = 'public'::regnamespace and not k.condeferrable and array_length(k.conkey, 1) > 1
       and exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any(k.conkey) and a.attname = 'parent')
  loop
    execute format('alter table %s alter constraint %I deferrable initially immediate', c.tab, c.conname);
  end loop;
end $$;
revoke all on function defer_parent_references from public;
select defer_parent_references();

-- INVARIANT (one parent): a member's account is of the parent that the org is under. A change that began before a merge and ends after it
-- would break this; it is sent back to begin again (40001), and then finds the org gone.
create function member_of_one_parent() returns trigger language plpgsql set search_path = public as $$
begin
  if not exists (select from org o join app_user u on u.parent = o.parent where o.id = new.org and u.id = new.user_id) then
    raise exception 'the account % is not of the parent of %', new.user_id, new.org using errcode = '40001';
  end if;
  return null;
end $$;
revoke all on function member_of_one_parent from public;
create trigger member_of_one_parent after insert on member for each row execute function member_of_one_parent();

-- As in 0003-org.sql, but a parent that was emptied by a merge does not count.
create or replace function lookup_only_parent() returns text
language sql stable security definer set search_path = public as $$
  select case when count(*) = 1 then min(id) end
    from (select p.id from parent p where exists (select from org o where o.parent = p.id) limit 2) p
$$;

-- Accounts of two parents that are, or may be, the same person: the same identity at the same OpenID provider, or the same address.
-- A SAML identity does not count: its issuer is a name that any administrator can write.
create function merge_matches(one text, other text) returns table (was text, becomes text, by_identity boolean, by_address boolean)
language sql stable set search_path = public as $$
  select m.was, m.becomes, bool_or(m.identity), bool_or(not m.identity)
    from (select a.user_id as was, b.user_id as becomes, true as identity
            from identity_link a join sso_connection ca on ca.id = a.connection and ca.kind = 'oidc'
            join identity_link b on b.issuer = a.issuer and b.subject = a.subject
            join sso_connection cb on cb.id = b.connection and cb.kind = 'oidc'
           where a.parent = one and b.parent = other
          union all
          select a.id, b.id, false from app_user a join app_user b on b.email_key = a.email_key
           where a.parent = one and b.parent = other) m
   group by m.was, m.becomes
$$;
revoke all on function merge_matches from public;

-- One side of a merge, as both sides see it in the preview.
create function merge_side(of_parent text) returns jsonb
language sql stable set search_path = public as $$
  select jsonb_build_object(
    'parent', p.id, 'name', p.name,
    'people', (select count(*) from app_user u where u.parent = p.id),
    'orgs', coalesce((select jsonb_agg(jsonb_build_object(
        'id', o.id, 'name', o.name, 'surface', o.surface,
        'owners', (select count(*) from member m where m.org = o.id and m.role in ('owner', 'primary_owner')),
        'people', (select count(*) from member m where m.org = o.id),
        'mode', (select v.mode from org_provisioning v where v.org = o.id),
        'seats', (select l.seats from seat_limit l where l.org = o.id and l.tier = '*'),
        'taken', (select count(*) from member_seat s where s.org = o.id and s.activated_at is not null)) order by o.id)
      from org o where o.parent = p.id), '[]'),
    'connections', coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'kind', c.kind, 'issuer', c.issuer,
        'client', c.client_id, 'state', c.state, 'matches', c.match_directory) order by c.id)
      from sso_connection c where c.parent = p.id), '[]'),
    'directories', coalesce((select jsonb_agg(jsonb_build_object('id', d.id, 'name', d.name, 'org', d.org, 'state', d.state) order by d.id)
      from directory d where d.parent = p.id), '[]'))
  from parent p where p.id = of_parent
$$;
revoke all on function merge_side from public;

-- Everything that a preview is made from. Only for the two sides of the proposal. hold: nobody is added to or taken from either parent until
-- the transaction ends (an insert of an account, org, directory or connection locks the parent's row).
create function merge_facts(wanted text, hold boolean) returns jsonb
language plpgsql security definer set search_path = public as $$
declare p merge_proposal;
begin
  select * into p from merge_proposal where id = wanted;
  if p.id is null or app_parent() is null or app_parent() not in (p.parent, p.into_parent) then
    raise exception 'merge_facts: not a side of this proposal';
  end if;
  if hold then perform from parent where id in (p.parent, p.into_parent) order by id for update; end if;
  return jsonb_build_object(
    'joining', merge_side(p.parent),
    'receiving', merge_side(p.into_parent),
    'both', coalesce((select jsonb_agg(jsonb_build_object(
        'was', m.was, 'becomes', m.becomes, 'byIdentity', m.by_identity, 'byAddress', m.by_address,
        'email', a.email, 'intoEmail', b.email, 'state', a.state, 'intoState', b.state, 'origin', b.origin,
        'roles', (select coalesce(jsonb_agg(jsonb_build_object('org', x.org, 'role', x.role) order by x.org), '[]') from member x where x.user_id = a.id),
        'intoRoles', (select coalesce(jsonb_agg(jsonb_build_object('org', x.org, 'role', x.role) order by x.org), '[]') from member x where x.user_id = b.id),
        'passkeys', (select count(*) from passkey k where k.user_id = a.id),
        'entry', (select s.directory from scim_user s where s.user_id = a.id and s.deleted_at is null),
        'intoEntry', (select s.directory from scim_user s where s.user_id = b.id and s.deleted_at is null)) order by m.was, m.becomes)
      from merge_matches(p.parent, p.into_parent) m join app_user a on a.id = m.was join app_user b on b.id = m.becomes), '[]'));
end $$;
revoke all on function merge_facts from public;
grant execute on function merge_facts to gatehouse_app;

-- Moves what belongs to these orgs, accounts, directories and connections from one parent to the other, and puts `becomes` in the place of
-- `was` where an account acts. Used in both directions, so that undoing is the same movement. Not executable by any role of ours.
create function carry_rows(from_parent text, to_parent text, orgs text[], users text[], directories text[], connections text[], domains text[], was text[], becomes text[])
returns void language plpgsql set search_path = public as $$
declare
  r record;
  scim_groups text[];
  captures text[];
begin
  set constraints all deferred;
  select coalesce(array_agg(c.id), '{}') into captures from domain_capture c where c.parent = from_parent and c.domain = any(domains);
  select coalesce(array_agg(g.id), '{}') into scim_groups from scim_group g where g.parent = from_parent and g.directory = any(directories);
  for r in select * from merge_rule where what = 'person' order by tab, col loop
    execute format('update %I t set %I = m.becomes from unnest($1, $2) as m(was, becomes) where t.%I = m.was and t.%I = any($3)', r.tab, r.col, r.col, r.within)
      using was, becomes, case r.scope when 'org' then orgs when 'directory' then directories when 'connection' then connections else captures end;
  end loop;
  for r in select * from merge_rule where what = 'ends' order by tab loop
    execute format('delete from %I t where t.parent = $1 and t.%I = any($2)', r.tab, r.within)
      using from_parent, case r.scope when 'org' then orgs when 'user' then users when 'directory' then directories when 'connection' then connections else domains end;
  end loop;
  for r in select * from merge_rule where what = 'moves' order by tab loop
    execute format('update %I t set parent = $1 where t.parent = $2 and t.%I = any($3)', r.tab, r.within)
      using to_parent, from_parent,
        case r.scope when 'org' then orgs when 'user' then users when 'directory' then directories when 'connection' then connections
                     when 'domain' then domains when 'capture' then captures else scim_groups end;
  end loop;
  set constraints all immediate;
end $$;
revoke all on function carry_rows from public;

-- Groups that come from an attribute are the parent's and known by attribute and value: people and rules go over to the group of the same
-- attribute and value at the other parent, which is made where it is missing. Those of accounts that stay behind are copied, not taken.
create function carry_attribute_groups(wanted text, from_parent text, to_parent text, orgs text[], users text[], was text[], becomes text[])
returns void language plpgsql set search_path = public as $$
declare
  g record;
  r record;
  target text;
begin
  set constraints all deferred;
  for g in select * from org_group x where x.parent = from_parent and x.attribute is not null order by x.id loop
    continue when not exists (select from org_group_member m where m.group_id = g.id and (m.user_id = any(users) or m.user_id = any(was)))
              and not exists (select from rule t where t.who_id = g.id and t.org = any(orgs))
              and not exists (select from group_mapping t where t.group_id = g.id and t.org = any(orgs));
    select x.id into target from org_group x where x.parent = to_parent and x.attribute = g.attribute and x.name = g.name;
    if target is null then
      target := 'grp_' || replace(gen_random_uuid()::text, '-', '');
      insert into org_group (parent, id, source, attribute, name, first_seen_at, last_seen_at)
      values (to_parent, target, 'attribute', g.attribute, g.name, g.first_seen_at, g.last_seen_at);
      insert into merge_moved (parent, merge, kind, id) values (from_parent, wanted, 'group_made', target);
    end if;
    with gone as (delete from org_group_member m where m.group_id = g.id and m.user_id = any(users) returning m.user_id, m.asserted_at)
    insert into org_group_member (parent, group_id, user_id, asserted_at) select to_parent, target, gone.user_id, gone.asserted_at from gone
    on conflict do nothing;
    with copied as (
      insert into org_group_member (parent, group_id, user_id, asserted_at)
      select to_parent, target, p.becomes, m.asserted_at
        from org_group_member m join unnest(was, becomes) as p(was, becomes) on p.was = m.user_id where m.group_id = g.id
      on conflict do nothing returning user_id)
    insert into merge_moved (parent, merge, kind, id, other) select from_parent, wanted, 'group_joined', target, copied.user_id from copied
    on conflict do nothing;
    for r in select * from merge_rule where what = 'group' loop
      execute format('update %I t set %I = $1 where t.%I = $2 and t.%I = any($3)', r.tab, r.col, r.col, r.within) using target, g.id, orgs;
    end loop;
  end loop;
end $$;
revoke all on function carry_attribute_groups from public;

-- Carries out a proposal that both sides approved. The caller has compared the facts with the approved preview in this transaction, and
-- tells the log of every parent and organization that is concerned, which counts up their versions.
create function apply_merge(wanted text, at timestamptz, undo_until timestamptz) returns jsonb
language plpgsql security definer set search_path = public as $$
declare
  p merge_proposal;
  orgs text[];
  users text[];
  directories text[];
  connections text[];
  domains text[];
  olds text[];
  news text[];
begin
  select * into p from merge_proposal where id = wanted for update;
  if p.id is null or app_parent() is distinct from p.into_parent then raise exception 'apply_merge: not the receiving side of this proposal'; end if;
  if p.state <> 'approved_both' then raise exception 'apply_merge: the proposal is %', p.state; end if;
  perform from parent where id in (p.parent, p.into_parent) order by id for update;
  select array_agg(o.id) into orgs from org o where o.parent = p.parent;
  if not p.org = any(coalesce(orgs, '{}')) or not exists (select from org o where o.id = p.into_org and o.parent = p.into_parent) then
    raise exception 'apply_merge: a side is no longer where it was';
  end if;
  perform from org o where o.id = any(orgs) order by o.id for update;
  select coalesce(array_agg(m.was), '{}'), coalesce(array_agg(m.becomes), '{}') into olds, news from merge_matches(p.parent, p.into_parent) m;
  if (select count(distinct x) from unnest(olds) x) <> cardinality(olds) or (select count(distinct x) from unnest(news) x) <> cardinality(news) then
    raise exception 'apply_merge: an account would be joined twice';
  end if;
  select coalesce(array_agg(u.id), '{}') into users from app_user u where u.parent = p.parent and u.id <> all(olds);
  select coalesce(array_agg(d.id), '{}') into directories from directory d where d.parent = p.parent;
  select coalesce(array_agg(c.id), '{}') into connections from sso_connection c where c.parent = p.parent;
  set constraints all deferred;
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'org', unnest(orgs);
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'user', unnest(users);
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'directory', unnest(directories);
  select coalesce(array_agg(d.id), '{}') into domains from domain d where d.parent = p.parent;
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'connection', unnest(connections);
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'domain', unnest(domains);
  insert into merge_moved (parent, merge, kind, id, other) select p.parent, p.id, 'joined', x.was, x.becomes from unnest(olds, news) as x(was, becomes);

  -- An account has at most one live directory entry. Where both sides have one, the receiving side's decides.
  with aside as (
    update scim_user s set user_id = null, unlinked_because = 'address_in_use'
      from unnest(olds, news) as x(was, becomes)
     where s.user_id = x.was and s.deleted_at is null
       and exists (select from scim_user o where o.user_id = x.becomes and o.deleted_at is null)
    returning s.id, x.was)
  insert into merge_moved (parent, merge, kind, id, other) select p.parent, p.id, 'entry', aside.id, aside.was from aside;

  -- Sessions of accounts that are joined end, because they were opened as somebody else.
  delete from saml_logout l using session s where s.parent = p.parent and s.user_id = any(olds) and l.parent = p.parent and l.session = s.id;
  delete from saml_session l using session s where s.parent = p.parent and s.user_id = any(olds) and l.parent = p.parent and l.session = s.id;
  delete from session s where s.parent = p.parent and s.user_id = any(olds);

  -- What a provider said of them last time goes along where the receiving side knows nothing of the kind.
  insert into merge_moved (parent, merge, kind, id, other, saved)
  select p.parent, p.id, 'attribute', a.user_id, a.name, to_jsonb(a) from user_attribute a where a.parent = p.parent and a.user_id = any(olds);
  delete from user_attribute a where a.parent = p.parent and a.user_id = any(olds);
  perform carry_attribute_groups(p.id, p.parent, p.into_parent, orgs, users, olds, news);
  perform carry_rows(p.parent, p.into_parent, orgs, users, directories, connections, domains, olds, news);
  insert into user_attribute (parent, user_id, name, vals, connection, asserted_at)
  select p.into_parent, x.becomes, a.name, a.vals, a.connection, a.asserted_at
    from merge_moved v join unnest(olds, news) as x(was, becomes) on x.was = v.id
   cross join jsonb_populate_record(null::user_attribute, v.saved) a
   where v.merge = p.id and v.kind = 'attribute'
  on conflict do nothing;

  update merge_proposal o set state = 'rejected', ended_at = apply_merge.at, ended_by = 'merged'
   where o.id <> p.id and o.state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale') and p.parent in (o.parent, o.into_parent);
  update merge_proposal o set state = 'applied', applied_at = apply_merge.at, undo_until = apply_merge.undo_until where o.id = p.id;
  return jsonb_build_object('orgs', to_jsonb(orgs), 'people', cardinality(users), 'joined', cardinality(olds),
                            'directories', cardinality(directories), 'connections', cardinality(connections), 'domains', cardinality(domains));
end $$;
revoke all on function apply_merge from public;
grant execute on function apply_merge to gatehouse_app;

-- Accounts of the receiving parent, with what ties them to what would go back and to what would stay.
create function merge_ties(p merge_proposal, orgs text[], directories text[], connections text[])
returns table (user_id text, moved boolean, fresh boolean, goes boolean, stays boolean) language sql stable set search_path = public as $$
  select u.id, exists (select from merge_moved v where v.merge = p.id and v.kind = 'user' and v.id = u.id),
         u.created_at >= p.applied_at,
         exists (select from member m where m.user_id = u.id and m.org = any(orgs))
           or exists (select from scim_user s where s.user_id = u.id and s.directory = any(directories))
           or exists (select from identity_link l where l.user_id = u.id and l.connection = any(connections))
           or exists (select from org_group_member g where g.user_id = u.id and g.org = any(orgs)),
         exists (select from member m where m.user_id = u.id and m.org <> all(orgs))
           or exists (select from scim_user s where s.user_id = u.id and s.directory <> all(directories))
           or exists (select from identity_link l where l.user_id = u.id and l.connection <> all(connections))
           or exists (select from org_group_member g where g.user_id = u.id and g.org is not null and g.org <> all(orgs))
    from app_user u
   where u.parent = p.into_parent and not exists (select from merge_moved v where v.merge = p.id and v.kind = 'joined' and v.other = u.id)
$$;
revoke all on function merge_ties from public;

-- What stands in the way of undoing a merge: a code and what it is about. Only for the sides of the merge. hold: as in merge_facts.
create function merge_obstacles(wanted text, hold boolean) returns table (code text, about text)
language plpgsql security definer set search_path = public as $$
declare
  p merge_proposal;
  orgs text[];
  directories text[];
  connections text[];
  domains text[];
begin
  select * into p from merge_proposal where id = wanted;
  if p.id is null or app_parent() is null or app_parent() not in (p.parent, p.into_parent) or p.state <> 'applied' then
    raise exception 'merge_obstacles: not a side of an applied merge';
  end if;
  if hold then perform from parent where id in (p.parent, p.into_parent) order by id for update; end if;
  select array_agg(v.id) into orgs from merge_moved v where v.merge = p.id and v.kind = 'org';
  select coalesce(array_agg(d.id), '{}') into directories from directory d where d.org = any(orgs);
  select coalesce(array_agg(v.id), '{}') into connections from merge_moved v where v.merge = p.id and v.kind = 'connection';
  select coalesce(array_agg(v.id), '{}') into domains from merge_moved v where v.merge = p.id and v.kind = 'domain';
  return query select 'org_elsewhere', o.id from org o where o.id = any(orgs) and o.parent <> p.into_parent;
  return query select 'connection_of_other', c.connection from saml_connection c
    where c.parent = p.into_parent and (c.connection = any(connections)) <> (c.org = any(orgs));
  return query
    select 'domain_of_other', d.id from domain d
     where d.parent = p.into_parent
       and (d.home_org is not null and (d.id = any(domains)) <> (d.home_org = any(orgs))
            or exists (select from domain_capture c where c.parent = d.parent and c.domain = d.id and (d.id = any(domains)) <> (c.org = any(orgs))));
  return query
    select case when t.moved or t.fresh then 'belongs_to_both' else 'was_here_before' end, t.user_id
      from merge_ties(p, orgs, directories, connections) t
     where case when t.moved then t.stays when t.fresh then t.goes and t.stays else t.goes end;
  return query
    select 'address_taken', u.id
      from app_user u join app_user o on o.parent = p.parent and o.email_key = u.email_key
     where u.parent = p.into_parent
       and u.id in (select t.user_id from merge_ties(p, orgs, directories, connections) t where t.moved or (t.fresh and t.goes));
end $$;
revoke all on function merge_obstacles from public;
grant execute on function merge_obstacles to gatehouse_app;

-- The way back: what was moved, and what has come to it since, returns; accounts that were joined part again.
-- Whoever lost access while the accounts were one does not get it back by parting.
create function undo_merge(wanted text, at timestamptz, by text) returns jsonb
language plpgsql security definer set search_path = public as $$
declare
  p merge_proposal;
  torn text[];
  orgs text[];
  users text[];
  directories text[];
  connections text[];
  domains text[];
  olds text[];
  news text[];
begin
  select * into p from merge_proposal where id = wanted for update;
  if p.id is null or app_parent() is distinct from p.into_parent then raise exception 'undo_merge: not the receiving side of this merge'; end if;
  if p.state <> 'applied' or undo_merge.at > p.undo_until then raise exception 'undo_merge: the merge is % and could be undone until %', p.state, p.undo_until; end if;
  perform from parent where id in (p.parent, p.into_parent) order by id for update;
  if exists (select from merge_obstacles(wanted, false)) then raise exception 'undo_merge: something stands in the way'; end if;
  select array_agg(v.id) into orgs from merge_moved v where v.merge = p.id and v.kind = 'org';
  perform from org o where o.id = any(orgs) order by o.id for update;
  select coalesce(array_agg(d.id), '{}') into directories from directory d where d.org = any(orgs);
  select coalesce(array_agg(v.id), '{}') into connections from merge_moved v where v.merge = p.id and v.kind = 'connection';
  select coalesce(array_agg(v.id), '{}') into domains from merge_moved v where v.merge = p.id and v.kind = 'domain';
  select coalesce(array_agg(v.other), '{}'), coalesce(array_agg(v.id), '{}') into olds, news from merge_moved v where v.merge = p.id and v.kind = 'joined';
  select coalesce(array_agg(t.user_id), '{}') into users from merge_ties(p, orgs, directories, connections) t where t.moved or (t.fresh and t.goes);

  set constraints all deferred;
  delete from sign_in_attempt a where a.parent = p.into_parent and (a.user_id = any(users) or a.user_id = any(olds));
  -- A session, and what was said at a sign-in, cannot stand between two parents.
  select coalesce(array_agg(s.id), '{}') into torn from session s
   where s.parent = p.into_parent and s.connection is not null and (s.connection = any(connections)) <> (s.user_id = any(users));
  delete from saml_logout l where l.session = any(torn);
  delete from saml_session l where l.session = any(torn);
  delete from session s where s.id = any(torn);
  delete from user_attribute a where a.parent = p.into_parent and (a.connection = any(connections)) <> (a.user_id = any(users));
  delete from domain_capture_offer f using domain_capture c
   where f.parent = p.into_parent and c.parent = f.parent and c.id = f.capture and f.user_id <> all(olds)
     and (c.domain = any(domains)) <> (f.user_id = any(users));
  update sign_in_trace t set user_id = null where t.parent = p.into_parent and t.user_id is not null and t.user_id <> all(olds)
     and (t.connection = any(connections)) <> (t.user_id = any(users));
  update identity_seen t set user_id = null where t.parent = p.into_parent and t.user_id is not null and t.user_id <> all(olds)
     and (t.connection = any(connections)) <> (t.user_id = any(users));
  delete from org_group_member m using merge_moved v where v.merge = p.id and v.kind = 'group_joined' and m.group_id = v.id and m.user_id = v.other;
  delete from merge_moved v where v.merge = p.id and v.kind = 'group_joined';
  perform carry_attribute_groups(p.id, p.into_parent, p.parent, orgs, users, '{}', '{}');
  perform carry_rows(p.into_parent, p.parent, orgs, users, directories, connections, domains, olds, news);
  insert into user_attribute (parent, user_id, name, vals, connection, asserted_at)
  select a.parent, a.user_id, a.name, a.vals, a.connection, a.asserted_at
    from merge_moved v cross join jsonb_populate_record(null::user_attribute, v.saved) a where v.merge = p.id and v.kind = 'attribute'
  on conflict do nothing;
  -- Groups that the merge made are not wanted any more where nobody and nothing is in them.
  delete from org_group g using merge_moved v
   where v.merge = p.id and v.kind = 'group_made' and g.id = v.id and g.parent = p.into_parent
     and not exists (select from org_group_member m where m.group_id = g.id)
     and not exists (select from rule t where t.who_id = g.id) and not exists (select from group_mapping t where t.group_id = g.id);

  update scim_user s set user_id = v.other, unlinked_because = null, suspended_here = s.suspended_here or not s.active
    from merge_moved v where v.merge = p.id and v.kind = 'entry' and s.id = v.id and s.user_id is null and s.deleted_at is null;
  update app_user u set state = 'suspended', suspended_at = undo_merge.at, suspended_by = 'undo_merge'
    from unnest(olds, news) as x(was, becomes)
   where u.id = x.becomes and u.state = 'active'
     and (exists (select from app_user o where o.id = x.was and o.state = 'suspended')
          or exists (select from merge_moved v join scim_user s on s.id = v.id
                      where v.merge = p.id and v.kind = 'entry' and v.other = x.becomes and (s.deleted_at is not null or not s.active)));
  update merge_proposal o set state = 'undone', ended_at = undo_merge.at, ended_by = undo_merge.by where o.id = p.id;
  return jsonb_build_object('orgs', to_jsonb(orgs), 'people', cardinality(users), 'joined', cardinality(olds),
                            'directories', cardinality(directories), 'connections', cardinality(connections), 'domains', cardinality(domains));
end $$;
revoke all on function undo_merge from public;
grant execute on function undo_merge to gatehouse_app;

-- Sealed secrets are bound to their parent, so they are sealed anew for the other one, outside the database, and put in place here:
-- in the transaction that moved their row, and only over the secret that was read.
create function place_moved_secret(wanted text, tab text, id text, was bytea, becomes bytea) returns boolean
language plpgsql security definer set search_path = public as $$
begin
  if not exists (select from merge_proposal p where p.id = wanted and app_parent() = p.into_parent and p.state in ('applied', 'undone')) then
    raise exception 'place_moved_secret: not the receiving side of this merge';
  end if;
  if tab = 'sso_connection' then
    update sso_connection c set secret_sealed = becomes where c.id = place_moved_secret.id and c.secret_sealed = was
       and exists (select from merge_moved v where v.merge = wanted and v.kind = 'connection' and v.id = c.id);
  elsif tab = 'saml_key' then
    update saml_key k set private_sealed = becomes where k.id = place_moved_secret.id and k.private_sealed = was
       and exists (select from merge_moved v where v.merge = wanted and v.kind = 'org' and v.id = k.org);
  else
    raise exception 'place_moved_secret: no secrets in %', tab;
  end if;
  return found;
end $$;
revoke all on function place_moved_secret from public;
grant execute on function place_moved_secret to gatehouse_app;

-- Proposals that wait for a job: whose time is over, or that both sides approved and nobody carried out yet.
create function lookup_due_merges(at timestamptz) returns table (merge text, parent text, org text)
language sql stable security definer set search_path = public as $$
  select p.id, p.into_parent, p.into_org from merge_proposal p
   where p.state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale') and (p.expires_at <= at or p.state = 'approved_both')
$$;
revoke all on function lookup_due_merges from public;
grant execute on function lookup_due_merges to gatehouse_app;
