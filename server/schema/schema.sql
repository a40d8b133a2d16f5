-- The whole schema, written by `npm run gen` from the migrations and checked by a wall. Read it; do not run or edit it.

-- A key for scripts: SHA-256 only, with the permissions that it carries. It works while its creator is an active member whose role still has them.
create table api_key (
  org text not null,
  id text not null,
  name text not null,
  hash bytea not null,
  permissions text[] not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (hash),
  FOREIGN KEY (org) REFERENCES org(id)
);
CREATE INDEX api_key_list ON public.api_key USING btree (org, created_at DESC, id DESC);
alter table api_key enable row level security;
create policy api_key_of_org on api_key for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on api_key to gatehouse_app;

-- A person's account at the parent. The e-mail is for showing and mailing, never a key for signing in. Suspended: refused on every surface at the next request.
create table app_user (
  parent text not null,
  id text not null,
  email text not null,
  display_name text not null,
  state text not null,
  origin text not null,
  suspended_at timestamp with time zone,
  suspended_by text,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK ((origin = ANY (ARRAY['local'::text, 'directory'::text, 'sign_in'::text]))),
  CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text])))
);
CREATE UNIQUE INDEX app_user_email ON public.app_user USING btree (parent, lower(email));
alter table app_user enable row level security;
create policy app_user_of_parent on app_user for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on app_user to gatehouse_app;

-- A call that waits for a person. The action is kept as canonical text; the grant is good once, for this hash and this asker, until expires_at.
create table approval (
  org text not null,
  id text not null,
  action_hash text not null,
  action text not null,
  connector text not null,
  tool text not null,
  asker text not null,
  asker_user text not null,
  client text not null,
  state text not null,
  asked_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  decided_by text,
  decided_at timestamp with time zone,
  reason text,
  used_at timestamp with time zone,
  used_by_call text,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((decided_at IS NOT NULL) OR (state = ANY (ARRAY['pending'::text, 'expired'::text])))),
  CHECK (((decided_at IS NULL) = (decided_by IS NULL))),
  CHECK (((decided_at IS NULL) OR (state <> 'pending'::text))),
  CHECK (((state = 'used'::text) = (used_at IS NOT NULL))),
  CHECK ((action_hash ~ '^[0-9a-f]{64}$'::text)),
  CHECK ((state = ANY (ARRAY['pending'::text, 'granted'::text, 'refused'::text, 'expired'::text, 'used'::text])))
);
CREATE INDEX approval_expiring ON public.approval USING btree (org, expires_at) WHERE (state = ANY (ARRAY['pending'::text, 'granted'::text]));
CREATE INDEX approval_listed ON public.approval USING btree (org, asked_at DESC, id DESC);
CREATE UNIQUE INDEX approval_waiting ON public.approval USING btree (org, asker, action_hash) WHERE (state = ANY (ARRAY['pending'::text, 'granted'::text]));
alter table approval enable row level security;
create policy approval_of_org on approval for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on approval to gatehouse_app;

-- Signed statements of a log's size and root (C2SP tlog-checkpoint). Never signed twice for one size, never changed.
create table audit_checkpoint (
  log text not null,
  size bigint not null,
  at timestamp with time zone not null,
  note text not null,
  PRIMARY KEY (log, size),
  CHECK ((size >= 0))
);
alter table audit_checkpoint enable row level security;
create policy audit_checkpoint_add on audit_checkpoint for insert to gatehouse_sequencer with check true;
create policy audit_checkpoint_load on audit_checkpoint for select to gatehouse_sequencer using true;
create policy audit_checkpoint_read on audit_checkpoint for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_checkpoint to gatehouse_app;
grant insert, select on audit_checkpoint to gatehouse_sequencer;

-- The log: one row per event at its position. Columns beside header, data and salt repeat the header for searching; what counts is the header.
create table audit_event (
  log text not null,
  seq bigint not null,
  at timestamp with time zone not null,
  id text not null,
  type text not null,
  actor text,
  connector text,
  call text,
  header jsonb not null,
  data jsonb not null,
  salt bytea not null,
  commitment bytea not null,
  leaf bytea not null,
  PRIMARY KEY (log, seq, at),
  CHECK ((octet_length(commitment) = 32)),
  CHECK ((octet_length(leaf) = 32)),
  CHECK ((seq >= 0))
) partition by RANGE (at);
CREATE INDEX audit_event_actor ON ONLY public.audit_event USING btree (log, actor, seq) WHERE (actor IS NOT NULL);
CREATE INDEX audit_event_call ON ONLY public.audit_event USING btree (log, call, seq) WHERE (call IS NOT NULL);
CREATE INDEX audit_event_connector ON ONLY public.audit_event USING btree (log, connector, seq) WHERE (connector IS NOT NULL);
CREATE INDEX audit_event_type ON ONLY public.audit_event USING btree (log, type, seq);
alter table audit_event enable row level security;
create policy audit_event_append on audit_event for insert to gatehouse_sequencer with check true;
create policy audit_event_read on audit_event for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_event to gatehouse_app;
grant insert on audit_event to gatehouse_sequencer;

-- audit_event_default is a partition of audit_event

-- How far each log has grown: size, RFC 6962 root, the perfect subtrees it is made of, and the fence: the epoch of the one sequencer that may append.
create table audit_head (
  log text not null,
  size bigint not null,
  frontier bytea not null,
  root bytea not null,
  epoch bigint not null,
  owner text not null,
  PRIMARY KEY (log),
  CHECK ((octet_length(root) = 32)),
  CHECK ((size >= 0))
);
alter table audit_head enable row level security;
create policy audit_head_grow on audit_head for all to gatehouse_sequencer using true with check true;
create policy audit_head_read on audit_head for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_head to gatehouse_app;
grant insert, select, update on audit_head to gatehouse_sequencer;

-- Events that are durable but have no position yet. A row is written in the transaction of the change it tells of.
create table audit_inbox (
  log text not null,
  arrived bigint not null generated always as identity,
  id text not null,
  at timestamp with time zone not null,
  header jsonb not null,
  data jsonb not null,
  salt bytea not null,
  PRIMARY KEY (log, arrived)
);
alter table audit_inbox enable row level security;
create policy audit_inbox_take on audit_inbox for all to gatehouse_sequencer using true;
create policy audit_inbox_write on audit_inbox for insert to gatehouse_app with check (log = ANY (ARRAY[app_org(), app_parent()]));
grant insert on audit_inbox to gatehouse_app;
grant delete, select on audit_inbox to gatehouse_sequencer;

-- The tree in tiles of up to 256 hashes (C2SP tlog-tiles). A full tile is final: the policy lets nobody write it again.
create table audit_tile (
  log text not null,
  level integer not null,
  index bigint not null,
  hashes bytea not null,
  PRIMARY KEY (log, level, index),
  CHECK ((((octet_length(hashes) >= 32) AND (octet_length(hashes) <= 8192)) AND ((octet_length(hashes) % 32) = 0))),
  CHECK (((level >= 0) AND (level <= 7))),
  CHECK ((index >= 0))
);
alter table audit_tile enable row level security;
create policy audit_tile_add on audit_tile for insert to gatehouse_sequencer with check true;
create policy audit_tile_fill on audit_tile for update to gatehouse_sequencer using (octet_length(hashes) < 8192) with check true;
create policy audit_tile_load on audit_tile for select to gatehouse_sequencer using true;
create policy audit_tile_read on audit_tile for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_tile to gatehouse_app;
grant insert, select, update on audit_tile to gatehouse_sequencer;

-- An MCP server made available in an org. The bearer is sealed for this row; private_host is the one host whose private addresses an administrator allowed.
create table connector (
  org text not null,
  id text not null,
  slug text not null,
  name text not null,
  url text not null,
  private_host text,
  bearer bytea,
  bearer_generation integer not null default 0,
  state text not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  UNIQUE (org, slug),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((bearer IS NULL) OR (bearer_generation > 0))),
  CHECK (((slug ~ '^[a-z0-9](-?[a-z0-9])*$'::text) AND (length(slug) <= 40))),
  CHECK ((state = ANY (ARRAY['on'::text, 'off'::text])))
);
alter table connector enable row level security;
create policy connector_of_org on connector for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on connector to gatehouse_app;

-- A SCIM connection of the parent. Owns the scim_users and scim_groups that arrive through it; its people become members of `org` with the role user.
create table directory (
  parent text not null,
  id text not null,
  org text not null,
  name text not null,
  state text not null default 'active'::text,
  created_at timestamp with time zone not null,
  profile text not null default 'compat'::text,
  domains text[] not null default '{}'::text[],
  domain_policy text not null default 'accept'::text,
  extensions jsonb not null default '[]'::jsonb,
  rate integer not null default 200,
  journal text not null default 'changes'::text,
  journal_days integer not null default 30,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, org) REFERENCES org(parent, id),
  CHECK (((journal_days >= 1) AND (journal_days <= 365))),
  CHECK (((rate >= 1) AND (rate <= 100000))),
  CHECK ((domain_policy = ANY (ARRAY['accept'::text, 'hold'::text, 'refuse'::text]))),
  CHECK ((journal = ANY (ARRAY['changes'::text, 'all'::text]))),
  CHECK ((profile = ANY (ARRAY['compat'::text, 'strict'::text]))),
  CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text])))
);
alter table directory enable row level security;
create policy directory_of_parent on directory for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on directory to gatehouse_app;

-- What happens in an org to content in which a detector finds something, each way. No row: the detector's default, which is to block.
create table dlp_policy (
  org text not null,
  detector text not null,
  to_tool text not null,
  to_user text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org, detector),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((to_tool = ANY (ARRAY['allow'::text, 'flag'::text, 'block'::text]))),
  CHECK ((to_user = ANY (ARRAY['allow'::text, 'flag'::text, 'block'::text])))
);
alter table dlp_policy enable row level security;
create policy dlp_policy_of_org on dlp_policy for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on dlp_policy to gatehouse_app;
grant update (set_at, set_by, to_tool, to_user) on dlp_policy to gatehouse_app;

-- A running node of the gateway. When its lease is over, its open calls end as lost.
create table gateway_node (
  id text not null,
  started_at timestamp with time zone not null,
  lease_until timestamp with time zone not null,
  PRIMARY KEY (id)
);
alter table gateway_node enable row level security;
create policy gateway_node_any on gateway_node for all to gatehouse_app using true with check true;
grant delete, insert, select, update on gateway_node to gatehouse_app;

-- Which user an identity is. Keyed by connection, issuer and subject: never by e-mail, which an identity provider may let people choose.
create table identity_link (
  parent text not null,
  connection text not null,
  issuer text not null,
  subject text not null,
  user_id text not null,
  made_by text not null,
  linked_at timestamp with time zone not null,
  last_sign_in_at timestamp with time zone,
  PRIMARY KEY (parent, connection, issuer, subject),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id),
  CHECK ((made_by = ANY (ARRAY['directory'::text, 'person'::text])))
);
CREATE INDEX identity_link_user ON public.identity_link USING btree (parent, user_id);
alter table identity_link enable row level security;
create policy identity_link_of_parent on identity_link for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on identity_link to gatehouse_app;
grant update (last_sign_in_at) on identity_link to gatehouse_app;

-- A user in an org, with a role.
create table member (
  org text not null,
  id text not null,
  user_id text not null,
  role text not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (org, user_id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (user_id) REFERENCES app_user(id),
  CHECK ((role = ANY (ARRAY['primary_owner'::text, 'owner'::text, 'admin'::text, 'user'::text])))
);
CREATE UNIQUE INDEX member_primary_owner ON public.member USING btree (org) WHERE (role = 'primary_owner'::text);
CREATE INDEX member_user ON public.member USING btree (user_id);
alter table member enable row level security;
create policy member_of_org on member for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select, update on member to gatehouse_app;

-- What the authorization server remembers: clients, consents (model Grant), codes and refresh tokens by SHA-256 only, interactions sealed. Only the role gatehouse_oauth sees rows.
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
  consumed_at timestamp with time zone,
  expires_at timestamp with time zone,
  created_at timestamp with time zone not null,
  PRIMARY KEY (model, id),
  CHECK (((model <> 'Grant'::text) OR ((parent IS NOT NULL) AND (org IS NOT NULL) AND (account_id IS NOT NULL) AND (client_id IS NOT NULL))))
);
CREATE INDEX oauth_item_account ON public.oauth_item USING btree (account_id) WHERE (account_id IS NOT NULL);
CREATE INDEX oauth_item_client ON public.oauth_item USING btree (client_id) WHERE (client_id IS NOT NULL);
CREATE INDEX oauth_item_consumed ON public.oauth_item USING btree (consumed_at) WHERE (consumed_at IS NOT NULL);
CREATE INDEX oauth_item_expires ON public.oauth_item USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX oauth_item_grant ON public.oauth_item USING btree (grant_id) WHERE (grant_id IS NOT NULL);
CREATE INDEX oauth_item_org ON public.oauth_item USING btree (org, id) WHERE (org IS NOT NULL);
CREATE INDEX oauth_item_predecessor ON public.oauth_item USING btree (predecessor) WHERE (predecessor IS NOT NULL);
CREATE UNIQUE INDEX oauth_item_uid ON public.oauth_item USING btree (uid) WHERE (uid IS NOT NULL);
CREATE UNIQUE INDEX oauth_item_user_code ON public.oauth_item USING btree (user_code) WHERE (user_code IS NOT NULL);
alter table oauth_item enable row level security;
create policy oauth_item_own_role on oauth_item for all to gatehouse_oauth using true with check true;
grant delete, insert, select, update on oauth_item to gatehouse_oauth;

-- Keys of our access tokens. Published first, signs later, retired last: whoever caches the public ones never meets an unknown key. The private half is sealed.
create table oauth_signing_key (
  kid text not null,
  public jsonb not null,
  sealed bytea not null,
  published_at timestamp with time zone not null,
  signs_from timestamp with time zone,
  retired_at timestamp with time zone,
  PRIMARY KEY (kid),
  CHECK (((retired_at IS NULL) OR (signs_from IS NOT NULL)))
);
CREATE UNIQUE INDEX oauth_signing_key_one_signs ON public.oauth_signing_key USING btree ((true)) WHERE ((signs_from IS NOT NULL) AND (retired_at IS NULL));
alter table oauth_signing_key enable row level security;
create policy oauth_signing_key_own_role on oauth_signing_key for all to gatehouse_oauth using true with check true;
create policy oauth_signing_key_public on oauth_signing_key for select to gatehouse_app using true;
grant delete, insert, select, update on oauth_signing_key to gatehouse_oauth;
grant select (kid, public) on oauth_signing_key to gatehouse_app;

-- Organization. Lives in one region; its rows, keys and log stay there.
create table org (
  parent text not null,
  id text not null,
  name text not null,
  surface text not null,
  region text not null default 'local'::text,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK ((surface = ANY (ARRAY['workspace'::text, 'console'::text])))
);
alter table org enable row level security;
create policy org_of_parent on org for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on org to gatehouse_app;

-- Parent organization: owns domains, SSO connections, directories and users; ties organizations together.
create table parent (
  id text not null,
  name text not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id)
);
alter table parent enable row level security;
create policy parent_own on parent for all to gatehouse_app using (id = app_parent()) with check (id = app_parent());
grant insert, select, update on parent to gatehouse_app;

-- A sentence of an admin about who may use which tools; compiled to Cedar when it is loaded. `connector` null means every connector. Removed rules stay, so that the log can be read. `who_id` and `connector` have no foreign key: a rule about what is gone applies to nobody.
create table rule (
  org text not null,
  id text not null,
  name text not null,
  effect text not null,
  asks text,
  who_kind text not null,
  who_id text,
  connector text,
  tool_classes text[],
  tool_names text[],
  created_by text not null,
  created_at timestamp with time zone not null,
  removed_by text,
  removed_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((effect = 'allow'::text) = (asks IS NOT NULL))),
  CHECK (((effect = 'forbid'::text) OR (tool_names IS NULL) OR (connector IS NOT NULL))),
  CHECK (((removed_at IS NULL) = (removed_by IS NULL))),
  CHECK (((tool_classes <@ ARRAY['read'::text, 'write'::text, 'destructive'::text]) AND (cardinality(tool_classes) > 0))),
  CHECK (((tool_classes IS NULL) <> (tool_names IS NULL))),
  CHECK (((who_kind = 'everyone'::text) = (who_id IS NULL))),
  CHECK ((asks = ANY (ARRAY['never'::text, 'always'::text]))),
  CHECK ((cardinality(tool_names) > 0)),
  CHECK ((effect = ANY (ARRAY['allow'::text, 'forbid'::text]))),
  CHECK ((who_kind = ANY (ARRAY['everyone'::text, 'group'::text, 'user'::text])))
);
CREATE INDEX rule_live ON public.rule USING btree (org, id) WHERE (removed_at IS NULL);
CREATE UNIQUE INDEX rule_name ON public.rule USING btree (org, lower(name)) WHERE (removed_at IS NULL);
alter table rule enable row level security;
create policy rule_of_org on rule for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on rule to gatehouse_app;
grant update (removed_at, removed_by) on rule to gatehouse_app;

-- Which files of server/schema have been applied.
create table schema_migration (
  name text not null,
  hash text not null,
  at timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);
-- NO ROW LEVEL SECURITY

-- An OAuth client of a directory (client credentials): SHA-256 of its secret only. It trades the secret for tokens of an hour, which end with it.
create table scim_client (
  parent text not null,
  id text not null,
  directory text not null,
  hash bytea not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id)
);
CREATE INDEX scim_client_directory ON public.scim_client USING btree (parent, directory);
alter table scim_client enable row level security;
create policy scim_client_of_parent on scim_client for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on scim_client to gatehouse_app;
grant update (last_used_at, revoked_at) on scim_client to gatehouse_app;

-- Live users and groups of each directory, kept by triggers; the sum over its slots counts. A full list is counted here and not by looking at every row.
create table scim_count (
  parent text not null,
  directory text not null,
  slot integer not null,
  users bigint not null default 0,
  groups bigint not null default 0,
  PRIMARY KEY (directory, slot)
);
alter table scim_count enable row level security;
create policy scim_count_of_parent on scim_count for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on scim_count to gatehouse_app;

-- The e-mails of scim_user.attributes once more, one row each and case folded, so that a filter by e-mail has an index.
create table scim_email (
  parent text not null,
  directory text not null,
  scim_user text not null,
  position integer not null,
  value_key text,
  type_key text,
  display_key text,
  is_primary boolean,
  PRIMARY KEY (scim_user, "position"),
  FOREIGN KEY (parent, scim_user) REFERENCES scim_user(parent, id)
);
CREATE INDEX scim_email_value ON public.scim_email USING btree (directory, value_key);
alter table scim_email enable row level security;
create policy scim_email_of_parent on scim_email for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on scim_email to gatehouse_app;

-- A group as a directory names it. Policy rules refer to its id.
create table scim_group (
  parent text not null,
  id text not null,
  directory text not null,
  display_name text not null,
  display_name_key text not null,
  external_id text,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id)
);
CREATE UNIQUE INDEX scim_group_external ON public.scim_group USING btree (directory, external_id) WHERE (external_id IS NOT NULL);
CREATE UNIQUE INDEX scim_group_name ON public.scim_group USING btree (directory, display_name_key);
CREATE INDEX scim_group_order ON public.scim_group USING btree (directory, id);
alter table scim_group enable row level security;
create policy scim_group_of_parent on scim_group for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select, update on scim_group to gatehouse_app;
CREATE TRIGGER scim_group_added AFTER INSERT ON public.scim_group REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION scim_group_counted();
CREATE TRIGGER scim_group_ended AFTER DELETE ON public.scim_group REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION scim_group_counted();

-- Requests of a directory as they came (secrets taken out), what they meant, what they changed, how they ended. A change is noted in its own transaction, the rest in batches. Kept for directory.journal_days.
create table scim_journal (
  parent text not null,
  directory text not null,
  id text not null,
  at timestamp with time zone not null,
  request text not null,
  operation integer,
  token text not null,
  method text not null,
  path text not null,
  resource text,
  people text[] not null,
  status integer not null,
  ms real not null,
  body text,
  bytes integer not null,
  meant jsonb not null,
  changed jsonb not null,
  problem jsonb,
  PRIMARY KEY (directory, id)
);
CREATE INDEX scim_journal_refused ON public.scim_journal USING btree (directory, id) WHERE (status >= 400);
CREATE INDEX scim_journal_resource ON public.scim_journal USING btree (directory, resource, id) WHERE (resource IS NOT NULL);
alter table scim_journal enable row level security;
create policy scim_journal_of_parent on scim_journal for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on scim_journal to gatehouse_app;

-- Who is in a group: a row each, so that two changes of different people never meet.
create table scim_membership (
  parent text not null,
  group_id text not null,
  scim_user text not null,
  asserted_at timestamp with time zone not null,
  PRIMARY KEY (group_id, scim_user),
  FOREIGN KEY (parent, group_id) REFERENCES scim_group(parent, id),
  FOREIGN KEY (parent, scim_user) REFERENCES scim_user(parent, id)
);
CREATE INDEX scim_membership_user ON public.scim_membership USING btree (scim_user, group_id);
alter table scim_membership enable row level security;
create policy scim_membership_of_parent on scim_membership for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on scim_membership to gatehouse_app;

-- A bearer token of a directory: SHA-256 only. Several per directory, so that one can be replaced while the other still works.
create table scim_token (
  parent text not null,
  id text not null,
  directory text not null,
  hash bytea not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  client text,
  PRIMARY KEY (id),
  UNIQUE (hash),
  FOREIGN KEY (parent, client) REFERENCES scim_client(parent, id),
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id)
);
CREATE INDEX scim_token_client ON public.scim_token USING btree (client, expires_at) WHERE (client IS NOT NULL);
CREATE INDEX scim_token_directory ON public.scim_token USING btree (parent, directory);
alter table scim_token enable row level security;
create policy scim_token_of_parent on scim_token for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on scim_token to gatehouse_app;
grant update (revoked_at) on scim_token to gatehouse_app;

-- A person as a directory describes them; `attributes` is typed by the SCIM schema, the other columns are taken from it. A deleted row keeps only what recognizes the person when they come back.
create table scim_user (
  parent text not null,
  id text not null,
  directory text not null,
  attributes jsonb not null,
  user_name_key text not null,
  display_name_key text,
  external_id text,
  active boolean not null,
  user_id text,
  unlinked_because text,
  suspended_here boolean not null default false,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id),
  CHECK (((user_id IS NULL) = (unlinked_because IS NOT NULL))),
  CHECK ((unlinked_because = ANY (ARRAY['local_user'::text, 'address_in_use'::text, 'no_address'::text, 'domain_held'::text])))
);
CREATE INDEX scim_user_display ON public.scim_user USING btree (directory, display_name_key) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX scim_user_external ON public.scim_user USING btree (directory, external_id) WHERE ((deleted_at IS NULL) AND (external_id IS NOT NULL));
CREATE INDEX scim_user_former ON public.scim_user USING btree (parent, external_id) WHERE ((deleted_at IS NOT NULL) AND (user_id IS NOT NULL));
CREATE INDEX scim_user_gone ON public.scim_user USING btree (directory, user_name_key) WHERE (deleted_at IS NOT NULL);
CREATE INDEX scim_user_gone_external ON public.scim_user USING btree (directory, external_id) WHERE (deleted_at IS NOT NULL);
CREATE INDEX scim_user_link ON public.scim_user USING btree (parent, external_id) WHERE ((deleted_at IS NULL) AND (user_id IS NOT NULL));
CREATE UNIQUE INDEX scim_user_name ON public.scim_user USING btree (directory, user_name_key) WHERE (deleted_at IS NULL);
CREATE INDEX scim_user_order ON public.scim_user USING btree (directory, id) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX scim_user_person ON public.scim_user USING btree (user_id) WHERE ((deleted_at IS NULL) AND (user_id IS NOT NULL));
CREATE INDEX scim_user_unlinked ON public.scim_user USING btree (directory, id) WHERE ((deleted_at IS NULL) AND (user_id IS NULL));
alter table scim_user enable row level security;
create policy scim_user_of_parent on scim_user for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on scim_user to gatehouse_app;
CREATE TRIGGER scim_user_added AFTER INSERT ON public.scim_user REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION scim_user_counted();
CREATE TRIGGER scim_user_ended AFTER UPDATE ON public.scim_user REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION scim_user_counted();

-- One counter per parent and org. Every change bumps it in its own transaction; caches of a node are valid for one value of it.
create table scope_version (
  scope text not null,
  version bigint not null default 1,
  PRIMARY KEY (scope)
);
alter table scope_version enable row level security;
create policy scope_version_read on scope_version for select to gatehouse_app using true;
grant select on scope_version to gatehouse_app;

-- A key per parent or org, wrapped by the key provider. Secrets are sealed with data keys that these wrap. Without the provider's key the rows are noise.
create table seal_key (
  scope text not null,
  generation integer not null,
  provider text not null,
  wrapped bytea not null,
  created_at timestamp with time zone not null default now(),
  PRIMARY KEY (scope, generation)
);
alter table seal_key enable row level security;
create policy seal_key_scope on seal_key for all to gatehouse_app using (scope = ANY (ARRAY[app_org(), app_parent()])) with check (scope = ANY (ARRAY[app_org(), app_parent()]));
grant insert, select on seal_key to gatehouse_app;

-- A signed-in browser. SHA-256 of the cookie only. connection is null for a session that began with a set-up link.
create table session (
  parent text not null,
  id text not null,
  user_id text not null,
  hash bytea not null,
  connection text,
  user_agent text not null,
  created_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (hash),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id)
);
CREATE INDEX session_of_user ON public.session USING btree (parent, user_id, id DESC);
alter table session enable row level security;
create policy session_of_parent on session for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on session to gatehouse_app;
grant update (last_seen_at, revoked_at) on session to gatehouse_app;

-- A one-time way in for the first owner, before any identity provider is connected. SHA-256 of the token only.
create table setup_link (
  parent text not null,
  id text not null,
  user_id text not null,
  hash bytea not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (hash),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id)
);
alter table setup_link enable row level security;
create policy setup_link_of_parent on setup_link for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on setup_link to gatehouse_app;
grant update (used_at) on setup_link to gatehouse_app;

-- A browser that was sent to an identity provider and is not back yet. Used once: taken by delete. discovery: the trace stage of before the redirect.
create table sign_in_attempt (
  parent text not null,
  state_hash bytea not null,
  connection text not null,
  nonce text not null,
  verifier_sealed bytea not null,
  browser_hash bytea not null,
  return_to text not null,
  intent text not null,
  user_id text,
  session_id text,
  discovery jsonb not null,
  started_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  PRIMARY KEY (state_hash),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id),
  FOREIGN KEY (parent, session_id) REFERENCES session(parent, id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id),
  CHECK (((intent = 'link'::text) = ((user_id IS NOT NULL) AND (session_id IS NOT NULL)))),
  CHECK ((intent = ANY (ARRAY['sign_in'::text, 'link'::text])))
);
CREATE INDEX sign_in_attempt_old ON public.sign_in_attempt USING btree (parent, expires_at);
alter table sign_in_attempt enable row level security;
create policy sign_in_attempt_of_parent on sign_in_attempt for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on sign_in_attempt to gatehouse_app;

-- What happened at each stage of one sign-in: found, expected, code. outcome is signed_in, linked, or the code of the refusal.
create table sign_in_trace (
  parent text not null,
  id text not null,
  at timestamp with time zone not null,
  connection text not null,
  user_id text,
  subject text,
  outcome text not null,
  stages jsonb not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id)
);
CREATE INDEX sign_in_trace_list ON public.sign_in_trace USING btree (parent, id DESC);
alter table sign_in_trace enable row level security;
create policy sign_in_trace_of_parent on sign_in_trace for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on sign_in_trace to gatehouse_app;

-- An identity provider of the parent. match_directory: a first sign-in may be matched to a directory user by externalId.
create table sso_connection (
  parent text not null,
  id text not null,
  name text not null,
  kind text not null,
  issuer text not null,
  client_id text not null,
  auth_method text not null,
  secret_sealed bytea,
  secret_generation integer not null default 1,
  allow_private text[] not null default '{}'::text[],
  match_directory boolean not null,
  state text not null,
  discovery jsonb not null,
  discovered_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  UNIQUE (parent, issuer, client_id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK (((auth_method = 'none'::text) = (secret_sealed IS NULL))),
  CHECK ((auth_method = ANY (ARRAY['client_secret_basic'::text, 'client_secret_post'::text, 'none'::text]))),
  CHECK ((kind = 'oidc'::text)),
  CHECK ((state = ANY (ARRAY['active'::text, 'disabled'::text])))
);
alter table sso_connection enable row level security;
create policy sso_connection_of_parent on sso_connection for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on sso_connection to gatehouse_app;

-- One callable of a connector: its definition as last seen (canonical text), its pin, and what a reviewer said about which pin. Only state reviewed is shown or callable.
create table tool (
  org text not null,
  connector text not null,
  name text not null,
  pin text not null,
  definition text not null,
  class text,
  reviewed_pin text,
  reviewed_definition text,
  reviewed_by text,
  reviewed_at timestamp with time zone,
  first_seen timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  removed_at timestamp with time zone,
  state text not null generated always as (
CASE
    WHEN (removed_at IS NOT NULL) THEN 'removed'::text
    WHEN (reviewed_pin IS NULL) THEN 'quarantined'::text
    WHEN (reviewed_pin = pin) THEN 'reviewed'::text
    ELSE 'changed'::text
END) stored,
  PRIMARY KEY (org, connector, name),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  CHECK (((reviewed_pin IS NULL) = (class IS NULL))),
  CHECK ((class = ANY (ARRAY['read'::text, 'write'::text, 'destructive'::text]))),
  CHECK ((pin ~ '^[0-9a-f]{64}$'::text))
);
alter table tool enable row level security;
create policy tool_of_org on tool for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on tool to gatehouse_app;

-- One call: open before anything leaves, closed with its outcome. Arguments only as a keyed hash. Open and of a dead node: closed as lost.
create table tool_call (
  org text not null,
  id text not null,
  connector text not null,
  tool text not null,
  member text not null,
  user_id text not null,
  client text not null,
  args_hash bytea not null,
  node text not null,
  opened_at timestamp with time zone not null,
  outcome text,
  why text,
  closed_at timestamp with time zone,
  PRIMARY KEY (org, id),
  CHECK (((outcome IS NULL) = (closed_at IS NULL))),
  CHECK ((outcome = ANY (ARRAY['answered'::text, 'held'::text, 'denied'::text, 'blocked'::text, 'failed'::text, 'lost'::text])))
);
CREATE INDEX tool_call_open ON public.tool_call USING btree (node) WHERE (outcome IS NULL);
alter table tool_call enable row level security;
create policy tool_call_of_org on tool_call for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on tool_call to gatehouse_app;

CREATE OR REPLACE FUNCTION public.app_org()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('app.org'::text, true), ''::text)
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.app_parent()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('app.parent'::text, true), ''::text)
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.bump_version(parent text, org text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare s text;
begin
  if parent is distinct from app_parent() or org is distinct from app_org() then
    raise exception 'bump_version: not the scope of this transaction';
  end if;
  foreach s in array array_remove(array[parent, org], null) loop
    insert into scope_version (scope) values (s) on conflict (scope) do update set version = scope_version.version + 1;
    perform pg_notify('gatehouse_version', s);
  end loop;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.claim_dpop_proof(proof_hash text, at timestamp with time zone, until timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  insert into oauth_item (model, id, payload, expires_at, created_at) values ('DpopProof', proof_hash, '{}', until, at) on conflict do nothing;
  return found;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.list_oauth_grants(of_member text, pattern text, after text, at_most integer, at timestamp with time zone)
 RETURNS TABLE(id text, member text, client text, client_name text, scopes jsonb, given_at timestamp with time zone, expires_at timestamp with time zone, last_used_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select g.id, g.account_id, g.client_id, g.client_name, coalesce(g.payload -> 'resources', '{}'::jsonb), g.created_at, g.expires_at,
         (select max(t.created_at) from oauth_item t where t.grant_id = g.id and t.model = 'RefreshToken')
    from oauth_item g
   where g.model = 'Grant' and g.org = app_org() and g.expires_at > list_oauth_grants.at
     and (of_member is null or g.account_id = of_member) and g.id > after
     and (pattern is null or g.client_name ilike pattern or g.client_id ilike pattern)
   order by g.id
   limit least(at_most, 201)
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_api_key(key_hash bytea)
 RETURNS TABLE(org text, parent text, key text, permissions text[], expires_at timestamp with time zone, revoked_at timestamp with time zone, last_used_at timestamp with time zone, creator text, creator_state text, creator_role text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select k.org, o.parent, k.id, k.permissions, k.expires_at, k.revoked_at, k.last_used_at, k.created_by, u.state, m.role
    from api_key k
    join org o on o.id = k.org
    left join app_user u on u.id = k.created_by and u.parent = o.parent
    left join member m on m.org = k.org and m.user_id = k.created_by
   where k.hash = key_hash
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_expired_approvals(at timestamp with time zone)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id from approval a join org o on o.id = a.org
   where a.state in ('pending', 'granted') and a.expires_at <= at
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_founded()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select exists (select from parent) $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_live_grant(grant_id text, at timestamp with time zone)
 RETURNS TABLE(parent text, org text, member text, user_id text, role text, client text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, m.org, m.id, m.user_id, m.role, g.client_id
    from oauth_item g
    join member m on m.id = g.account_id and m.org = g.org
    join org o on o.id = m.org
    join app_user u on u.id = m.user_id and u.parent = o.parent and u.state = 'active'
   where g.model = 'Grant' and g.id = lookup_live_grant.grant_id and g.expires_at > lookup_live_grant.at
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_lost_calls()
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id
    from tool_call c join org o on o.id = c.org
   where c.outcome is null
     and not exists (select from gateway_node n where n.id = c.node and n.lease_until > now())
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_member(member_id text)
 RETURNS TABLE(parent text, org text, org_name text, member text, user_id text, role text, state text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, m.org, o.name, m.id, m.user_id, m.role, u.state
    from member m join org o on o.id = m.org join app_user u on u.id = m.user_id and u.parent = o.parent
   where m.id = member_id
$function$
-- may be run by: gatehouse_app, gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_memberships_of_user(wanted_user text)
 RETURNS TABLE(parent text, org text, org_name text, member text, user_id text, role text, state text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, m.org, o.name, m.id, m.user_id, m.role, u.state
    from member m join org o on o.id = m.org join app_user u on u.id = m.user_id and u.parent = o.parent
   where m.user_id = wanted_user
   order by o.name, m.id
$function$
-- may be run by: gatehouse_app, gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_only_parent()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select case when count(*) = 1 then min(id) end from (select id from parent limit 2) p
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_org_parent(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from org where id = wanted $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_orphaned_grants(at_most integer)
 RETURNS TABLE(grant_id text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select g.id from oauth_item g
   where g.model = 'Grant' and not exists (select from member m where m.id = g.account_id)
   limit least(at_most, 5000)
$function$
-- may be run by: gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_parents()
 RETURNS TABLE(parent text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select id from parent order by id
$function$
-- may be run by: gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_scim_client(wanted text)
 RETURNS TABLE(directory text, parent text, org text, hash bytea, expires_at timestamp with time zone, revoked_at timestamp with time zone, directory_state text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select c.directory, c.parent, d.org, c.hash, c.expires_at, c.revoked_at, d.state
    from scim_client c join directory d on d.parent = c.parent and d.id = c.directory
   where c.id = wanted
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_scim_token(token_hash bytea, at timestamp with time zone)
 RETURNS TABLE(id text, directory text, parent text, org text, expires_at timestamp with time zone, revoked_at timestamp with time zone, directory_state text, settings jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  return query
    select t.id, t.directory, t.parent, d.org, t.expires_at, least(t.revoked_at, c.revoked_at), d.state,
           jsonb_build_object('profile', d.profile, 'domains', d.domains, 'domainPolicy', d.domain_policy, 'extensions', d.extensions,
                              'rate', d.rate, 'journal', d.journal, 'journalDays', d.journal_days)
      from scim_token t join directory d on d.parent = t.parent and d.id = t.directory
      left join scim_client c on c.id = t.client
     where t.hash = token_hash;
  if exists (select from scim_token t where t.hash = token_hash and t.revoked_at is null
                and (t.last_used_at is null or t.last_used_at <= at - interval '1 minute')) then
    update scim_token t set last_used_at = at
     where t.id = (select s.id from scim_token s where s.hash = token_hash for update skip locked);
  end if;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_seal_providers()
 RETURNS text[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select coalesce(array_agg(distinct provider), '{}') from seal_key
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_session(cookie_hash bytea)
 RETURNS TABLE(parent text, session text, user_id text, user_state text, last_seen_at timestamp with time zone, expires_at timestamp with time zone, revoked_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select s.parent, s.id, s.user_id, u.state, s.last_seen_at, s.expires_at, s.revoked_at
    from session s join app_user u on u.id = s.user_id and u.parent = s.parent
   where s.hash = cookie_hash
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_setup_link(token_hash bytea)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from setup_link where hash = token_hash $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sign_in_attempt(state bytea)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from sign_in_attempt where state_hash = state $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sso_connection(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from sso_connection where id = wanted $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_user_parent(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from app_user where id = wanted $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.make_audit_partitions(months integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
 SET lock_timeout TO '2s'
AS $function$
declare
  first timestamp;
  part text;
  made int := 0;
begin
  if months not between 1 and 24 then raise exception 'make_audit_partitions: 1 to 24 months'; end if;
  for i in 0 .. months - 1 loop
    first := date_trunc('month', now() at time zone 'utc') + make_interval(months => i);
    part := 'audit_event_' || to_char(first, 'YYYY_MM');
    continue when to_regclass('public.' || part) is not null;
    begin
      execute format('create table %I partition of audit_event for values from (%L) to (%L)', part,
        first at time zone 'utc', (first + interval '1 month') at time zone 'utc');
      execute format('alter table %I enable row level security', part);
      execute format('comment on table %I is %L', part, 'Events of one month; see audit_event.');
      made := made + 1;
    exception when check_violation or duplicate_table or lock_not_available then null;
    end;
  end loop;
  return made;
end $function$
-- may be run by: gatehouse_sequencer

CREATE OR REPLACE FUNCTION public.orgs_of_user(wanted text)
 RETURNS TABLE(org text, name text, role text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.id, o.name, m.role
    from member m join org o on o.id = m.org
   where o.parent = app_parent() and m.user_id = wanted
   order by o.name, o.id
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.prune_scim_journal(at timestamp with time zone, keep integer, most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare
  d record;
  edge text;
  gone int;
  total int := 0;
begin
  if keep < 1000 then raise exception 'prune_scim_journal: at least 1000 entries are kept'; end if;
  for d in select directory.id, directory.journal_days from directory loop
    select j.id into edge from scim_journal j where j.directory = d.id order by j.id desc offset keep limit 1;
    delete from scim_journal j
     where j.directory = d.id
       and j.id in (select o.id from scim_journal o where o.directory = d.id order by o.id limit most)
       and (j.at < prune_scim_journal.at - make_interval(days => d.journal_days) or j.id <= edge);
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  delete from scim_token t where t.client is not null and t.expires_at < prune_scim_journal.at - interval '1 day';
  return total;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.record_calls(the_parent text, the_org text, the_node text, opens json, ends json)
 RETURNS text[]
 LANGUAGE plpgsql
 SET search_path TO 'public'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare ended text[];
begin
  perform set_config('app.parent', the_parent, true), set_config('app.org', the_org, true);
  if json_array_length(opens) > 0 then
    insert into tool_call (org, id, connector, tool, member, user_id, client, args_hash, node, opened_at)
    select the_org, c.id, c.connector, c.tool, c.member, c.user_id, c.client, decode(c.args_hash, 'hex'), the_node, c.at
      from json_to_recordset(opens) as c(id text, connector text, tool text, member text, user_id text, client text, args_hash text, at timestamptz);
    insert into audit_inbox (id, log, at, header, data, salt)
    select n.note, the_org, n.at, n.header, n.data, decode(n.salt, 'hex')
      from json_to_recordset(opens) as n(note text, at timestamptz, header jsonb, data jsonb, salt text);
  end if;
  if json_array_length(ends) > 0 then
    with done as (
      update tool_call t set outcome = c.outcome, why = c.why, closed_at = c.at
        from json_to_recordset(ends) as c(id text, outcome text, why text, at timestamptz)
       where t.org = the_org and t.id = c.id and t.outcome is null
      returning t.id)
    select array_agg(id) into ended from done;
    insert into audit_inbox (id, log, at, header, data, salt)
    select n.note, the_org, n.at, n.header, n.data, decode(n.salt, 'hex')
      from json_to_recordset(ends) as n(id text, note text, at timestamptz, header jsonb, data jsonb, salt text)
     where n.id = any(ended);
  end if;
  return coalesce(ended, '{}');
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.record_oauth_event(of_parent text, of_org text, event_id text, event_at timestamp with time zone, header jsonb, data jsonb, salt bytea, bump boolean)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
end $function$
-- may be run by: gatehouse_oauth

CREATE OR REPLACE FUNCTION public.revoke_oauth_grant(wanted text, of_member text)
 RETURNS TABLE(member text, client text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended(wanted, 0));
  return query delete from oauth_item g
    where g.model = 'Grant' and g.id = wanted and g.org = app_org() and (of_member is null or g.account_id = of_member)
    returning g.account_id, g.client_id;
  if found then
    delete from oauth_item t where t.grant_id = wanted;
  end if;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.scim_group_counted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
begin
  if tg_op = 'INSERT' then
    insert into scim_count as c (parent, directory, slot, groups)
    select n.parent, n.directory, pg_backend_pid() % 16, count(*) from new_rows n group by 1, 2
    on conflict (directory, slot) do update set groups = c.groups + excluded.groups;
  else
    insert into scim_count as c (parent, directory, slot, groups)
    select o.parent, o.directory, pg_backend_pid() % 16, - count(*) from old_rows o group by 1, 2
    on conflict (directory, slot) do update set groups = c.groups + excluded.groups;
  end if;
  return null;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.scim_user_counted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
begin
  if tg_op = 'INSERT' then
    insert into scim_count as c (parent, directory, slot, users)
    select n.parent, n.directory, pg_backend_pid() % 16, count(*) from new_rows n where n.deleted_at is null group by 1, 2
    on conflict (directory, slot) do update set users = c.users + excluded.users;
  else
    insert into scim_count as c (parent, directory, slot, users)
    select n.parent, n.directory, pg_backend_pid() % 16, sum((n.deleted_at is null)::int - (o.deleted_at is null)::int)
      from new_rows n join old_rows o on o.id = n.id
     where (n.deleted_at is null) <> (o.deleted_at is null)
     group by 1, 2
    on conflict (directory, slot) do update set users = c.users + excluded.users;
  end if;
  return null;
end $function$
-- may be run by: PUBLIC
