import { Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'

/** Whether people can sign up by a form. */
export function FormState({ active }: { active: boolean }) {
  return <Toned tone={active ? 'good' : 'quiet'}>{active ? en.forms.on : en.forms.off}</Toned>
}
