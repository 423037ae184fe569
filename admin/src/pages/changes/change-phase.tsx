import { type Tone, Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'

const TONES: Readonly<Record<string, Tone>> = {
  finished: 'good',
  failed: 'bad',
  ready: 'warning',
  cancelled: 'quiet',
  reverted: 'quiet',
}

export function ChangePhase({ phase }: { phase: string }) {
  const words: Readonly<Record<string, string>> = { ...en.imports.phases, ...en.changes.phases }
  return <Toned tone={TONES[phase] ?? 'busy'}>{words[phase] ?? phase}</Toned>
}
