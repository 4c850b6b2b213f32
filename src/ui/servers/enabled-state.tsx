import { Switch } from '../controls/fields/switch.tsx';

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
  if (onChange) return <Switch label={`${name}: enabled`} on={on} onChange={onChange} />;
  return <span className={`inline-block pt-1 ${on ? '' : 'text-quiet'}`}>{on ? 'Enabled' : 'Disabled'}</span>;
}
