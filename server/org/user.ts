import type { Id } from '#kernel/id.ts';

/** A person's account at the parent. */
export type User = {
  id: Id<'usr'>;
  email: string;
  displayName: string;
  state: 'active' | 'suspended';
  origin: 'local' | 'directory' | 'sign_in';
};
