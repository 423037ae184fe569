import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { RotateCw } from 'lucide-react'
import { useAccount } from '../../api/client.ts'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

interface RetryButtonProps {
  message: { id: string; email: string }
  size?: 'xs' | 'sm'
}

/** Puts a mail that failed on its way again. */
export function RetryButton({ message: { id, email }, size = 'sm' }: RetryButtonProps) {
  const { id: accountId, api } = useAccount()
  const client = useQueryClient()
  const retry = useMutation({
    mutationFn: () => api.mail.retry(id),
    onError: (error) => failed(error, en.outbox.notRetried),
    onSuccess: () => done(en.outbox.retried),
    // Also where it is refused: somebody else was quicker, or it is over.
    onSettled: () => client.invalidateQueries({ queryKey: [accountId, 'messages'] }),
  })
  return (
    <Button
      size={size}
      variant="default"
      leftSection={<RotateCw size={14} aria-hidden />}
      aria-label={en.outbox.retryOf(email)}
      loading={retry.isPending}
      onClick={() => retry.mutate()}
    >
      {en.outbox.retry}
    </Button>
  )
}
