-- What one member has is found by the member: on their own page, and by the trigger that ends it all when they leave.

create index connection_of_member on connection (org, member) where ended_at is null;
