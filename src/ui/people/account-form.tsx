import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ApiError, accountsKey } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';

/** A field of an account's form, as the body of the request names it. */
export interface AccountField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
}

type Values = Readonly<Record<string, string>>;

/** A form of text fields that says at each one what the API refuses of it, and asks for the list anew when it succeeds. */
export function AccountForm<T>({
  fields,
  initial = {},
  action,
  send,
  onDone,
  onCancel,
  children,
}: {
  fields: readonly AccountField[];
  initial?: Values;
  /** The words on the button. */
  action: string;
  send: (values: Values) => Promise<T>;
  onDone: (answer: T) => void;
  onCancel: () => void;
  children?: ReactNode;
}) {
  const queries = useQueryClient();
  const [values, setValues] = useState<Values>(initial);
  const sending = useMutation({
    mutationFn: () => send(values),
    onSuccess: async (answer) => {
      await queries.invalidateQueries({ queryKey: [accountsKey] });
      onDone(answer);
    },
  });
  const faults = sending.error instanceof ApiError ? (sending.error.problem.errors ?? []) : [];
  const faultOf = (name: string): string | undefined =>
    faults.find(({ at }) => at === `body.${name}` || at.startsWith(`body.${name}.`))?.message;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!sending.isPending) sending.mutate();
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      {children}
      {fields.map(({ name, label, hint }) => (
        <TextField
          key={name}
          label={label}
          {...(hint ? { hint } : {})}
          value={values[name] ?? ''}
          fault={faultOf(name)}
          onChange={(text) => setValues({ ...values, [name]: text })}
        />
      ))}
      {sending.error && <Problem error={sending.error} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onCancel}>{t('Cancel')}</Button>
        <Button look="primary" type="submit" busy={sending.isPending}>
          {action}
        </Button>
      </div>
    </form>
  );
}

/** Names or ids as somebody writes them into one field, separated by commas. */
export function namesIn(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
