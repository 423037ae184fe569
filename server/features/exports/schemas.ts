import { Type } from 'typebox'
import { Nullable, PageOf } from '../../http/paging.ts'
import { FORMATS } from './request.ts'

/** An export as the API answers it. */
export const Export = Type.Object(
  {
    id: Type.Integer(),
    status: Type.Enum(['created', 'started', 'finished'], { description: 'The official words; phase tells more.' }),
    phase: Type.Enum(['queued', 'running', 'finished', 'failed', 'expired']),
    format: Type.Enum([...FORMATS]),
    created_at: Type.String(),
    updated_at: Type.String(),
    finished_at: Nullable(Type.String()),
    url: Nullable(Type.String({ description: 'Where the file is until expires_at, for whoever has this address.' })),
    expires_at: Nullable(Type.String()),
    bytes: Nullable(Type.Integer()),
    progress: Type.Object({ written: Type.Integer(), total: Nullable(Type.Integer()) }),
    error: Nullable(Type.String({ description: 'Why it has failed.' })),
    request: Type.Unknown({ description: 'What was asked for.' }),
  },
  { description: 'A file with contacts' },
)

export const ExportPage = PageOf(Export)
