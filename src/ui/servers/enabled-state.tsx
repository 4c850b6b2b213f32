import { t } from '../words/words.ts';

/** An on/off switch whose state is also written in words; `label` names what it switches. */
function Switch({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      onClick={() => onChange(!on)}
      className="inline-flex h-7 items-center gap-2 rounded-md"
    >
      <span
        className={`flex h-4.5 w-8 items-center rounded-full border px-0.5 motion-safe:transition-colors ${on ? 'border-good bg-good' : 'border-edge bg-sunken'}`}
      >
        <span
          className={`size-3 rounded-full motion-safe:transition-transform ${on ? 'translate-x-3.5 bg-inverse' : 'bg-edge'}`}
        />
      </span>
      <span aria-hidden className="w-14 text-left text-meta">
        {on ? t('Enabled') : t('Disabled')}
      </span>
    </button>
  );
}

/** Whether a thing is enabled: a switch for those who may change it, the word for everybody else. */
export function EnabledState({
  name,
  on,
  onChange,
}: {
  name: string;
  on: boolean;
  onChange: ((on: boolean) => void) | undefined;
}) {
  if (onChange) return <Switch label={t('{name}: enabled', { name })} on={on} onChange={onChange} />;
  return (
    <span className={`inline-block pt-1 ${on ? '' : 'text-quiet'}`}>{on ? t('Enabled') : t('Disabled')}</span>
  );
}
