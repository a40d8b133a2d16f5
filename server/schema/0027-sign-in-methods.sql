-- Every way to sign in is traced, and a session says how it was opened.
alter table sign_in_trace alter column connection drop not null;
alter table sign_in_trace add column method text not null default 'sso' check (method in ('sso', 'passkey', 'mail_link', 'setup_link'));
alter table sign_in_trace alter column method drop default;
alter table sign_in_trace add constraint sign_in_trace_connection_check check ((method = 'sso') = (connection is not null));
-- Without an identity provider there is nothing that could be known of somebody without an account.
alter table sign_in_trace add constraint sign_in_trace_user_check check (method = 'sso' or user_id is not null);
comment on table sign_in_trace is 'What happened at each stage of one sign-in: found, expected, code. outcome is signed_in, linked, tested, or the code of the refusal. connection: of single sign-on only; user_id: whose passkey or link it was, or who was let in.';

alter table session add column method text check (method in ('sso', 'passkey', 'mail_link', 'setup_link'));
-- What a session of before was opened with was used at that very instant.
update session s set method = case
  when s.connection is not null then 'sso'
  when exists (select from passkey k where k.parent = s.parent and k.user_id = s.user_id and k.used_at = s.created_at) then 'passkey'
  when exists (select from mail_link l where l.parent = s.parent and l.user_id = s.user_id and l.used_at = s.created_at) then 'mail_link'
  else 'setup_link' end;
alter table session alter column method set not null;
alter table session add constraint session_connection_check check ((method = 'sso') = (connection is not null));
comment on table session is 'A signed-in browser. SHA-256 of the cookie only. method: how it was opened; connection: through which one, for single sign-on.';

-- Traces of single sign-on go with their connection in a merge; the others with the account.
alter table merge_rule drop constraint merge_rule_pkey;
alter table merge_rule add primary key (tab, col, what, scope);
insert into merge_rule (tab, col, what, scope, within) values ('sign_in_trace', 'parent', 'moves', 'user', 'user_id');

-- Where a merge is undone, only traces of single sign-on can stand between two parents; `null = any('{}')` is not null but false.
do $$
declare
  was text := pg_get_functiondef('undo_merge(text, timestamptz, text)'::regprocedure);
  becomes text := replace(was, 'update sign_in_trace t set user_id = null where t.parent', 'update sign_in_trace t set user_id = null where t.connection is not null and t.parent');
begin
  if was = becomes then raise exception '0027: undo_merge is not what it was'; end if;
  execute becomes;
end $$;

-- As in 0020-mail-link.sql, and also the accounts that get no link: the trace tells their administrators why. Those that get one come first.
drop function lookup_mail_link_accounts;
create function lookup_mail_link_accounts(address text) returns table (parent text, user_id text, org text, active boolean)
language sql stable security definer set search_path = public as $$
  select u.parent, u.id, o.org, u.state = 'active' from app_user u cross join lateral (select mail_link_org(u.parent, u.id) as org) o
   where u.email_key = lower(address)
   order by o.org is null or u.state <> 'active', u.id limit 5
$$;
revoke all on function lookup_mail_link_accounts from public;
grant execute on function lookup_mail_link_accounts to gatehouse_app;

select defer_parent_references();
