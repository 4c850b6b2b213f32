import type { Tenant, User } from '../../tenant/model.ts';

/** The accounts that sign-in pages show, with a few words about each. */
export function listed(tenants: readonly Tenant[]): { user: User; about: string }[] {
  return tenants.flatMap((tenant) =>
    [...tenant.listed].flatMap(([id, about]) => {
      const user = tenant.users.get(id);
      return user ? [{ user, about }] : [];
    }),
  );
}
