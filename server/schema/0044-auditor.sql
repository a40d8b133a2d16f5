-- Auditors read what happened and who may do what, and change nothing.
alter table member drop constraint member_role_check;
alter table member add constraint member_role_check check (role in ('primary_owner', 'owner', 'admin', 'auditor', 'user'));
alter table group_mapping drop constraint group_mapping_role_check;
alter table group_mapping add constraint group_mapping_role_check check (role in ('owner', 'admin', 'auditor', 'user'));
