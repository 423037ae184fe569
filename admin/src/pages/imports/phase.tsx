import type { Import } from '@rollcall/sdk'
import { type Tone, Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'

const TONES: Record<Import['phase'], Tone> = {
  queued: 'busy',
  reading: 'busy',
  validating: 'busy',
  ready: 'warning',
  merging: 'busy',
  finished: 'good',
  failed: 'bad',
  cancelled: 'quiet',
  reverting: 'busy',
  reverted: 'quiet',
}

export function Phase({ phase }: { phase: Import['phase'] }) {
  return <Toned tone={TONES[phase]}>{en.imports.phases[phase]}</Toned>
}
