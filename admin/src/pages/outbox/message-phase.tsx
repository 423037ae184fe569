import { type Tone, Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'
import type { Phase } from './phases.ts'

const TONES: Record<Phase, Tone> = { queued: 'busy', sent: 'good', kept: 'quiet', failed: 'bad', cancelled: 'warning' }

export function MessagePhase({ phase }: { phase: Phase }) {
  return <Toned tone={TONES[phase]}>{en.outbox.phases[phase]}</Toned>
}
