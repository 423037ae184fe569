import pg from 'pg'

/** The unique constraint or index that the error is about, when it is a unique violation; else undefined. */
export function violatedUnique(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError && error.code === '23505' ? error.constraint : undefined
}

/** Ended by PostgreSQL through no fault of the statement: serialization_failure or deadlock_detected. */
export function isRetryable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01')
}

/** Ended because it took longer than it may: query_canceled. */
export function isTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '57014'
}

/** Ended because it waited for a lock longer than it may: lock_not_available. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '55P03'
}

/** Refused because an earlier statement of the same transaction failed: in_failed_sql_transaction. */
export function isAborted(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '25P02'
}

/** No connection could be had, or it was lost: the SQLSTATE classes 08 and 57P, or an error of the socket. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P0[123])/.test(error.code ?? '')
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return (
    /^(ECONN|ENOENT|EPIPE|ETIMEDOUT|EAI_)/.test(code ?? '') || /Connection terminated|not queryable/.test(error.message)
  )
}
