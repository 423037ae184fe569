import { useEffect, useState } from 'react'

/**
 * Gives the focus back to what had it, of a dialog that is made when it opens: Mantine does so for those alone that were there before, and
 * without it whoever uses the keyboard begins anew at the top of the page.
 */
export function useFocusBack(): void {
  const [before] = useState(() => document.activeElement)
  useEffect(
    () => () => {
      setTimeout(() => {
        const isLost = document.activeElement === null || document.activeElement === document.body
        if (isLost && before instanceof HTMLElement) before.focus({ preventScroll: true })
      })
    },
    [before],
  )
}
