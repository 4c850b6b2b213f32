/** How groups of several providers are kept apart. */
export interface GroupNames {
  /** A group as scopes map it: bare for the first provider, `<provider>:<group>` for the others. */
  qualify(provider: string, groups: readonly string[]): readonly string[];
  /** The one form of what a scopes file calls a group: `<first provider>:<group>` and `<group>` are the same. */
  canonical(mapped: string): string;
}

/**
 * Names by the providers in force, the first one first. `reserved` are all names that a provider can have: a group of the
 * first provider that begins like one of them is never taken for another provider's, it is only known in its long form.
 */
export function groupNames(providers: readonly string[], reserved: readonly string[]): GroupNames {
  const [first] = providers;
  const names = new Set([...providers, ...reserved]);
  const qualified = (provider: string, group: string): string => {
    const colon = group.indexOf(':');
    const isAmbiguous = colon >= 0 && names.has(group.slice(0, colon));
    return provider === first && !isAmbiguous ? group : `${provider}:${group}`;
  };
  return {
    qualify: (provider, groups) => groups.map((group) => qualified(provider, group)),
    canonical(mapped) {
      const isFirsts = first !== undefined && mapped.startsWith(`${first}:`);
      return isFirsts ? qualified(first, mapped.slice(first.length + 1)) : mapped;
    },
  };
}
