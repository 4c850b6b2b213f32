/** Tags that narrow the list of `things` when pressed; nothing without tags. */
export function Tags({
  tags,
  things,
  onTag,
}: {
  tags: readonly string[];
  things: string;
  onTag: (tag: string) => void;
}) {
  if (tags.length === 0) return null;
  return (
    <ul aria-label="Tags" className="mt-1 flex flex-wrap gap-1">
      {tags.map((tag) => (
        <li key={tag}>
          <button
            type="button"
            title={`Show ${things} tagged ${tag}`}
            onClick={() => onTag(tag)}
            className="relative min-h-6 rounded-sm bg-sunken px-1.5 text-meta text-quiet hover:text-ink"
          >
            #{tag}
          </button>
        </li>
      ))}
    </ul>
  );
}
