/** What setup would change or has changed: a step with a line for each change. */
export type Plan = { id: string; title: string; changes: string[] }[];
