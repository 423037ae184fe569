export const PHASES = ['queued', 'sent', 'kept', 'failed', 'cancelled'] as const

/** How far a mail has come. */
export type Phase = (typeof PHASES)[number]

export const isPhase = (value: unknown): value is Phase => PHASES.some((phase) => phase === value)
