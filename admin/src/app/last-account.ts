const KEY = 'rollcall-account'

/** The account that was open last in this browser. */
export function lastAccount(): number | undefined {
  const kept = localStorage.getItem(KEY)
  return kept === null ? undefined : Number(kept)
}

export function rememberAccount(id: number): void {
  localStorage.setItem(KEY, String(id))
}
