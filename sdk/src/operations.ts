// Generated from the OpenAPI document of the service: `npm run generate -w sdk`. A test fails while it is not current.

/** Method and path of each operation, behind `/api`. */
export const OPERATIONS = {
  addMembers: ['POST', '/contact_lists/{list_id}/contacts'],
  addSuppressions: ['POST', '/suppressions'],
  applyBulk: ['POST', '/change_sets/{id}/apply'],
  applyImport: ['POST', '/contact_imports/{id}/apply'],
  cancelBulk: ['POST', '/change_sets/{id}/cancel'],
  cancelImport: ['POST', '/contact_imports/{id}/cancel'],
  changePassword: ['PATCH', '/session/password'],
  checkLink: ['POST', '/setup/check'],
  convertField: ['POST', '/contact_fields/{field_id}/convert'],
  convertList: ['POST', '/contact_lists/{list_id}/convert'],
  createContact: ['POST', '/contacts'],
  createContactEvent: ['POST', '/contacts/{contact}/events'],
  createExport: ['POST', '/contact_exports'],
  createField: ['POST', '/contact_fields'],
  createForm: ['POST', '/forms'],
  createImport: ['POST', '/contact_imports'],
  createList: ['POST', '/contact_lists'],
  createProviderHook: ['POST', '/provider_hooks'],
  createRecipe: ['POST', '/import_recipes'],
  createTemplate: ['POST', '/templates'],
  createToken: ['POST', '/tokens'],
  createView: ['POST', '/views'],
  createWebhook: ['POST', '/webhooks'],
  deleteBatch: ['DELETE', '/contacts/batch'],
  deleteContact: ['DELETE', '/contacts/{contact}'],
  deleteExport: ['DELETE', '/contact_exports/{export_id}'],
  deleteField: ['DELETE', '/contact_fields/{field_id}'],
  deleteForm: ['DELETE', '/forms/{form_id}'],
  deleteList: ['DELETE', '/contact_lists/{list_id}'],
  deleteProviderHook: ['DELETE', '/provider_hooks/{id}'],
  deleteRecipe: ['DELETE', '/import_recipes/{id}'],
  deleteSuppression: ['DELETE', '/suppressions/{id}'],
  deleteTemplate: ['DELETE', '/templates/{name}'],
  deleteView: ['DELETE', '/views/{id}'],
  deleteWebhook: ['DELETE', '/webhooks/{id}'],
  downloadExport: ['GET', '/contact_exports/{export_id}/download'],
  endOtherSessions: ['DELETE', '/sessions'],
  endSession: ['DELETE', '/sessions/{id}'],
  eraseContact: ['DELETE', '/contacts/{contact}/gdpr_delete'],
  explainCriteria: ['POST', '/contact_lists/explain'],
  explainMember: ['GET', '/contact_lists/{list_id}/contacts/{contact}/explain'],
  exportContact: ['GET', '/contacts/{contact}/export'],
  followImport: ['GET', '/contact_imports/{id}/progress'],
  getAccount: ['GET', '/account'],
  getChangeSet: ['GET', '/change_sets/{id}'],
  getContact: ['GET', '/contacts/{contact}'],
  getContactLinks: ['GET', '/contacts/{contact}/links'],
  getDelivery: ['GET', '/webhooks/{id}/deliveries/{delivery}'],
  getDiff: ['GET', '/change_sets/{id}/diff'],
  getErasure: ['GET', '/erasures/{id}'],
  getExport: ['GET', '/contact_exports/{export_id}'],
  getField: ['GET', '/contact_fields/{field_id}'],
  getFieldUsage: ['GET', '/contact_fields/usage'],
  getForm: ['GET', '/forms/{form_id}'],
  getFormEmbed: ['GET', '/forms/{form_id}/embed'],
  getFormStats: ['GET', '/stats/forms'],
  getImport: ['GET', '/contact_imports/{id}'],
  getList: ['GET', '/contact_lists/{list_id}'],
  getListGrowth: ['GET', '/contact_lists/{list_id}/growth'],
  getListMoves: ['GET', '/contact_lists/{list_id}/moves'],
  getListUsage: ['GET', '/contact_lists/{list_id}/usage'],
  getMessage: ['GET', '/messages/{id}'],
  getProviderHook: ['GET', '/provider_hooks/{id}'],
  getRecipe: ['GET', '/import_recipes/{id}'],
  getRejectedRows: ['GET', '/contact_imports/{id}/errors'],
  getSession: ['GET', '/session'],
  getStats: ['GET', '/stats'],
  getTemplate: ['GET', '/templates/{name}'],
  getTemplateUsage: ['GET', '/templates/{name}/usage'],
  getView: ['GET', '/views/{id}'],
  getWebhook: ['GET', '/webhooks/{id}'],
  inviteUser: ['POST', '/invitations'],
  listAudit: ['GET', '/audit'],
  listChangeSets: ['GET', '/change_sets'],
  listConsents: ['GET', '/contacts/{contact}/consents'],
  listContactEvents: ['GET', '/contacts/{contact}/events'],
  listContacts: ['GET', '/contacts'],
  listDeliveries: ['GET', '/webhooks/{id}/deliveries'],
  listErasures: ['GET', '/erasures'],
  listExports: ['GET', '/contact_exports'],
  listFieldValues: ['GET', '/contact_fields/{field_id}/values'],
  listFields: ['GET', '/contact_fields'],
  listForms: ['GET', '/forms'],
  listImportedContacts: ['GET', '/contact_imports/{id}/contacts'],
  listImports: ['GET', '/contact_imports'],
  listInvitations: ['GET', '/invitations'],
  listLists: ['GET', '/contact_lists'],
  listMembers: ['GET', '/contact_lists/{list_id}/contacts'],
  listMessages: ['GET', '/messages'],
  listProviderHooks: ['GET', '/provider_hooks'],
  listRecipes: ['GET', '/import_recipes'],
  listSessions: ['GET', '/sessions'],
  listSuppressions: ['GET', '/suppressions'],
  listTemplateVersions: ['GET', '/templates/{name}/versions'],
  listTemplates: ['GET', '/templates'],
  listTokens: ['GET', '/tokens'],
  listUsers: ['GET', '/users'],
  listViews: ['GET', '/views'],
  listWebhooks: ['GET', '/webhooks'],
  makeResetLink: ['POST', '/users/{id}/reset_link'],
  mergeLists: ['POST', '/contact_lists/{list_id}/merge'],
  previewCriteria: ['POST', '/contact_lists/preview'],
  previewForm: ['POST', '/forms/preview'],
  previewImport: ['POST', '/contact_imports/preview'],
  previewTemplate: ['POST', '/templates/{name}/preview'],
  putContact: ['PUT', '/contacts/{contact}'],
  readFeed: ['GET', '/events'],
  redeliver: ['POST', '/webhooks/{id}/deliveries/{delivery}/redeliver'],
  removeMember: ['DELETE', '/contact_lists/{list_id}/contacts/{contact}'],
  removeMembers: ['DELETE', '/contact_lists/{list_id}/contacts'],
  removeUser: ['DELETE', '/users/{id}'],
  replayWebhook: ['POST', '/webhooks/{id}/replay'],
  resubscribeContact: ['POST', '/contacts/{contact}/resubscribe'],
  retryMessage: ['POST', '/messages/{id}/retry'],
  revertChangeSet: ['POST', '/change_sets/{id}/revert'],
  revertImport: ['POST', '/contact_imports/{id}/revert'],
  revokeToken: ['DELETE', '/tokens/{id}'],
  rotateProviderHook: ['POST', '/provider_hooks/{id}/rotate'],
  rotateWebhookSecret: ['POST', '/webhooks/{id}/rotate_secret'],
  searchContacts: ['POST', '/contacts/search'],
  sendTemplate: ['POST', '/templates/{name}/send'],
  showConsents: ['GET', '/contacts/{contact}/consents.html'],
  signIn: ['POST', '/session'],
  signOut: ['DELETE', '/session'],
  startBulk: ['POST', '/contacts/bulk'],
  streamFeed: ['GET', '/events/stream'],
  testWebhook: ['POST', '/webhooks/{id}/test'],
  unsubscribeContact: ['POST', '/contacts/{contact}/unsubscribe'],
  updateAccount: ['PATCH', '/account'],
  updateBatch: ['PATCH', '/contacts/batch'],
  updateContact: ['PATCH', '/contacts/{contact}'],
  updateField: ['PATCH', '/contact_fields/{field_id}'],
  updateForm: ['PATCH', '/forms/{form_id}'],
  updateList: ['PATCH', '/contact_lists/{list_id}'],
  updateProviderHook: ['PATCH', '/provider_hooks/{id}'],
  updateRecipe: ['PATCH', '/import_recipes/{id}'],
  updateSession: ['PATCH', '/session'],
  updateTemplate: ['PATCH', '/templates/{name}'],
  updateUser: ['PATCH', '/users/{id}'],
  updateView: ['PATCH', '/views/{id}'],
  updateWebhook: ['PATCH', '/webhooks/{id}'],
  useLink: ['POST', '/setup'],
  withdrawInvitation: ['DELETE', '/invitations/{id}'],
} as const

/** What each operation takes and answers. */
export interface Operations {
  /** Add up to 1,000 contacts */
  addMembers: {
    input: {
      path: {
        list_id: string | number
      }
      body: {
        /** 1 to 1000 contacts, each by its id, its address or ext: and its external id. */
        contact_ids: unknown[]
      }
    }
    answer: {
      change_set_id: number
      added: number
      already_members: number
      /** Who have left this list by their own act. */
      opted_out: number
      not_found: number
      not_found_ids: string[]
    }
  }
  /** Forbid mail to addresses and domains, by hand or by a file */
  addSuppressions: {
    input: {
      body: {
        /** Addresses, their SHA-256, domains, or *.domain for all below it. */
        entries: string[]
        /** Small letters, digits and underscores, such as complaint; manual unless given. */
        reason?: string
        /** Until then; for good unless given. */
        expires_at?: string
      }
      form?: {
        file: string
        /** Small letters, digits and underscores, such as complaint; manual unless given. */
        reason?: string
        /** Until then; for good unless given. */
        expires_at?: string
      }
    }
    answer: {
      added: number
      /** That were there already. */
      known: number
      /** Lines of a file that are no entries. */
      rejected: number
      errors: ({
        line: number
        message: string
      })[]
    }
  }
  /** Do what a trial has planned */
  applyBulk: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      kind: string
      phase: string
      actor: string
      options: Record<string, unknown>
      counts: Record<string, number>
      created_at: string
      finished_at: string | null
    }
  }
  /** Apply a dry run, or go on with what waits or has failed, with other options if need be */
  applyImport: {
    input: {
      path: {
        id: string | number
      }
      body: Record<string, unknown>
    }
    answer: {
      id: number
      status: 'created' | 'started' | 'finished' | 'failed'
      phase: 'queued' | 'reading' | 'validating' | 'ready' | 'merging' | 'finished' | 'failed' | 'cancelled' | 'reverting' | 'reverted'
      problem: string | null
      change_set_id: number
      rows_read: number
      created_contacts_count: number
      updated_contacts_count: number
      unchanged_contacts_count: number
      duplicate_rows_count: number
      rejected_rows_count: number
      suppressed_contacts_count: number
      contacts_over_limit_count: number
      opted_out_contacts_count: number
      kept_unsubscribed_contacts_count: number
      not_applied_rows_count: number
      /** Why rows were rejected, by cause. */
      errors: ({
        field: string
        column: string | null
        message: string
        count: number
        /** The first line of which it holds. */
        line: number
        /** What stood there, the most frequent first, where it is a word that value_mapping may mend. */
        values: ({
          value: string
          count: number
        })[]
      })[]
      warnings: ({
        kind: string
        column: string
        count: number
        line: number
        suggestion?: string
      })[]
      progress: {
        bytes_total: number
        bytes_read: number
        rows_read: number
        rows_to_merge: number
        rows_merged: number
      }
      file: {
        name: string | null
        bytes: number
        sha256: string
        kept: boolean
      }
      detected: Record<string, unknown> | null
      columns: ({
        name: string
        goes_to: string | null
        sure?: 'given' | 'exact' | 'likely' | 'new'
        /** Why it is left out. */
        because?: string
      })[] | null
      options: Record<string, unknown>
      created_at: string
      updated_at: string
      finished_at: string | null
    }
  }
  /** End a bulk act where it is */
  cancelBulk: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      kind: string
      phase: string
      actor: string
      options: Record<string, unknown>
      counts: Record<string, number>
      created_at: string
      finished_at: string | null
    }
  }
  /** End an import where it is */
  cancelImport: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      status: 'created' | 'started' | 'finished' | 'failed'
      phase: 'queued' | 'reading' | 'validating' | 'ready' | 'merging' | 'finished' | 'failed' | 'cancelled' | 'reverting' | 'reverted'
      problem: string | null
      change_set_id: number
      rows_read: number
      created_contacts_count: number
      updated_contacts_count: number
      unchanged_contacts_count: number
      duplicate_rows_count: number
      rejected_rows_count: number
      suppressed_contacts_count: number
      contacts_over_limit_count: number
      opted_out_contacts_count: number
      kept_unsubscribed_contacts_count: number
      not_applied_rows_count: number
      /** Why rows were rejected, by cause. */
      errors: ({
        field: string
        column: string | null
        message: string
        count: number
        /** The first line of which it holds. */
        line: number
        /** What stood there, the most frequent first, where it is a word that value_mapping may mend. */
        values: ({
          value: string
          count: number
        })[]
      })[]
      warnings: ({
        kind: string
        column: string
        count: number
        line: number
        suggestion?: string
      })[]
      progress: {
        bytes_total: number
        bytes_read: number
        rows_read: number
        rows_to_merge: number
        rows_merged: number
      }
      file: {
        name: string | null
        bytes: number
        sha256: string
        kept: boolean
      }
      detected: Record<string, unknown> | null
      columns: ({
        name: string
        goes_to: string | null
        sure?: 'given' | 'exact' | 'likely' | 'new'
        /** Why it is left out. */
        because?: string
      })[] | null
      options: Record<string, unknown>
      created_at: string
      updated_at: string
      finished_at: string | null
    }
  }
  /** Change the password, which ends all other sessions of the user */
  changePassword: {
    input: {
      body: {
        current_password: string
        password: string
      }
    }
    answer: Response
  }
  /** What a link is for: to make the first user, to enter an account, or to set a new password */
  checkLink: {
    input: {
      body: {
        /** What stands behind the # in the link. */
        token: string
      }
    }
    answer: {
      purpose: 'setup' | 'invitation' | 'reset'
      email: string | null
      /** An invitation of someone who has a password already, which is then asked for. */
      is_user: boolean
      account: string | null
      role: 'viewer' | 'editor' | 'admin' | null
    }
  }
  /** Turn a field into another kind */
  convertField: {
    input: {
      path: {
        field_id: string | number
      }
      body: {
        type: string
        /** For a select; the values there are, unless given. */
        options?: string[]
        /** Unset the values that can not be converted instead of refusing. */
        discard?: boolean
        dry_run?: boolean
      }
    }
    answer: {
      dry_run?: boolean
      change_set_id?: number
      phase?: string
      values_count: number
      convertible: number
      not_convertible: number
      examples: ({
        value: string | number | boolean
        count: number
        problem: string
      })[]
      options: string[] | null
    }
  }
  /** Make a static list of a smart one, with those who are in it now */
  convertList: {
    input: {
      path: {
        list_id: string | number
      }
    }
    answer: {
      change_set_id: number
      added: number
      already_members: number
      opted_out: number
    }
  }
  /** Create a contact */
  createContact: {
    input: {
      body: {
        email: string
        /** How another system calls this person; unique in the account. */
        external_id?: string | null
        /** By merge tag: texts, numbers, booleans, dates as YYYY-MM-DD; null or an empty text unsets. */
        fields?: Record<string, unknown>
        tags?: string[]
        unsubscribed?: boolean
        /** Of someone new: whether they wait as pending until they confirm, whom a mail then asks to. By default as the account says. */
        double_opt_in?: boolean
        list_ids?: number[]
      }
    }
    answer: {
      /** A person */
      data: {
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      }
    }
  }
  /** Tell what a contact did */
  createContactEvent: {
    input: {
      path: {
        contact: string | number
      }
      body: {
        /** At most 255 characters; names such as email_opened act as that type. */
        name?: unknown
        /** Scalar values by key. */
        params?: unknown
      }
    }
    answer: {
      contact_id: string
      contact_email: string
      name: string
      params: Record<string, unknown>
    }
  }
  /** Write contacts into a file */
  createExport: {
    input: {
      body: {
        /** csv.gz unless given. */
        format?: 'csv' | 'csv.gz' | 'xlsx' | 'ndjson'
        /** Merge tags and attributes of contacts: the columns in their order. */
        fields?: string[]
        /** As in the search of contacts. */
        q?: string
        /** A map of values, or the nested language: see docs/criteria.md. */
        criteria?: unknown
        /** Members of this list, or of any of these. */
        list_id?: unknown
        tag?: unknown
        state?: unknown
        status?: unknown
        /** Who may be mailed now, or who may not; of lists that are named, their opt-outs count too. */
        sendable?: boolean
        /** Cells that a spreadsheet takes for formulas stay as they are. */
        raw?: boolean
        /** As in the official API: list_id, subscription_status. */
        filters?: unknown
      }
    }
    answer: {
      id: number
      /** The official words; phase tells more. */
      status: 'created' | 'started' | 'finished'
      phase: 'queued' | 'running' | 'finished' | 'failed' | 'expired'
      format: 'csv' | 'csv.gz' | 'xlsx' | 'ndjson'
      created_at: string
      updated_at: string
      finished_at: string | null
      url: string | null
      expires_at: string | null
      bytes: number | null
      progress: {
        written: number
        total: number | null
      }
      error: string | null
      /** What was asked for. */
      request: unknown
    }
  }
  /** Define a field */
  createField: {
    input: {
      body: {
        name?: string | null
        /** text, integer, number, select, date or boolean; data_type is the same. */
        type?: string | null
        /** Made from the name when it is not given. */
        merge_tag?: string | null
        required?: boolean | null
        /** Whether people may change it on their page of preferences. */
        editable?: boolean | null
        min?: number | null
        max?: number | null
        /** Of a select. One goes only while no contact has it, and comes back if one got it in the same seconds. */
        options?: string[] | null
        default?: string | number | boolean | null
        /** Of dates, such as DD.MM.YYYY; ISO dates are always taken. */
        format?: string | null
      }
    }
    answer: {
      id: number
      name: string
      /** The nearest official kind. */
      data_type: 'text' | 'integer' | 'float' | 'boolean' | 'date'
      merge_tag: string
      type: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      required: boolean
      /** By people, on their page of preferences. */
      editable: boolean
      min: number | null
      max: number | null
      options: string[] | null
      default: string | number | boolean | null
      format: string | null
      converting_to?: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      created_at: string
      updated_at: string
    }
  }
  /** Create a sign-up form */
  createForm: {
    input: {
      body: {
        /** For yourself; unique. */
        name: string
        /** Whether it can be filled. */
        active?: boolean
        /** Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given. */
        double_opt_in?: boolean
        /** Static lists that people join. */
        list_ids?: number[]
        /** Asked for beside the address, in this order. */
        fields?: ({
          /** Its merge tag. */
          field: string
          label?: string | null
          required?: boolean
        })[]
        redirect_url?: string | null
        /** Whose pages may show the form in a frame, such as https://www.example.com. */
        frame_origins?: string[]
        welcome_template?: string | null
        title?: string | null
        introduction?: string | null
        consent?: string | null
        button?: string | null
        success?: string | null
      }
    }
    answer: {
      data: {
        id: number
        /** Counts up with each change; the ledger names it. */
        version: number
        /** The page that shows it. */
        url: string
        /** For yourself; unique. */
        name: string
        /** Whether it can be filled. */
        active: boolean
        /** Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given. */
        double_opt_in: boolean
        /** Static lists that people join. */
        list_ids: number[]
        fields: ({
          field: string
          label: string | null
          required: boolean
        })[]
        redirect_url: string | null
        /** Whose pages may show the form in a frame, such as https://www.example.com. */
        frame_origins: string[]
        welcome_template: string | null
        title: string | null
        introduction: string | null
        consent: string | null
        button: string | null
        success: string | null
        created_at: string
        updated_at: string
      }
    }
  }
  /** Import a file, or contacts as JSON */
  createImport: {
    input: {
      body: {
        contacts: ({
          email: string
          [key: string]: unknown
        })[]
      }
      form?: {
        file: string
        /** Lists that everyone in the file joins; `list_id` is the same for one. */
        list_ids?: number[]
        /** Tags that everyone in the file gets. */
        tags?: string[]
        /** Whether people who are there already get the values of the file; else they only join the lists and get the tags given here. False unless given. */
        update_existing?: boolean
        /** Whether rows that can not be taken are left out; else nothing is imported if there is one. True unless given. */
        skip_invalid?: boolean
        /** Whether an empty cell unsets a value; else it changes nothing. */
        clear_empty?: boolean
        /** Stops before anything changes: what would be done can be seen, and then applied. */
        dry_run?: boolean
        /** What says that a row is about someone known. */
        match_by?: 'email' | 'external_id'
        /** State of new people whose row says none; the account's import_default_state unless given. */
        state?: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        /** Evidence that is kept with the permission of everyone new. */
        consent?: {
          /** Where they gave their permission. */
          source?: string
          /** What they agreed to. */
          wording?: string
          /** When: a day or a moment. */
          obtained_at?: string
        }
        /** Where columns go, by their names: a merge tag, email, external_id, tags, lists, state, created_at, consent_at, consent_ip, consent_source, full_name; null or an empty text leaves a column out. Columns that are not named go where their name says. */
        field_mapping?: Record<string, string | null>
        /** By column or merge tag: what a value stands for, as {"plan":{"pro plan":"Pro"}}; null for nothing. */
        value_mapping?: Record<string, Record<string, string | null>>
        /** By column: trim; full_name (first and last name in one); address (Name <a@example.com>); first_address (the first of several). */
        rules?: Record<string, ('trim' | 'full_name' | 'address' | 'first_address')[]>
        /** Found by content unless given. */
        format?: 'csv' | 'xlsx' | 'ndjson' | 'json'
        /** One character, or `tab`. */
        delimiter?: string
        /** utf-8, utf-16le, windows-1252, … Found by content unless given. */
        encoding?: string
        /** Name of the sheet to read; the first one unless given. */
        sheet?: string
        /** Whether the first row has the names of the columns. Found by content unless given. */
        header?: boolean
        /** Order of day, month and year. Found by content unless given. */
        date_order?: 'dmy' | 'mdy' | 'ymd'
        /** A recipe whose options count where none is given. */
        recipe_id?: number
      }
    }
    answer: {
      id: number
      status: 'created' | 'started' | 'finished' | 'failed'
      phase: 'queued' | 'reading' | 'validating' | 'ready' | 'merging' | 'finished' | 'failed' | 'cancelled' | 'reverting' | 'reverted'
      problem: string | null
      change_set_id: number
      rows_read: number
      created_contacts_count: number
      updated_contacts_count: number
      unchanged_contacts_count: number
      duplicate_rows_count: number
      rejected_rows_count: number
      suppressed_contacts_count: number
      contacts_over_limit_count: number
      opted_out_contacts_count: number
      kept_unsubscribed_contacts_count: number
      not_applied_rows_count: number
      /** Why rows were rejected, by cause. */
      errors: ({
        field: string
        column: string | null
        message: string
        count: number
        /** The first line of which it holds. */
        line: number
        /** What stood there, the most frequent first, where it is a word that value_mapping may mend. */
        values: ({
          value: string
          count: number
        })[]
      })[]
      warnings: ({
        kind: string
        column: string
        count: number
        line: number
        suggestion?: string
      })[]
      progress: {
        bytes_total: number
        bytes_read: number
        rows_read: number
        rows_to_merge: number
        rows_merged: number
      }
      file: {
        name: string | null
        bytes: number
        sha256: string
        kept: boolean
      }
      detected: Record<string, unknown> | null
      columns: ({
        name: string
        goes_to: string | null
        sure?: 'given' | 'exact' | 'likely' | 'new'
        /** Why it is left out. */
        because?: string
      })[] | null
      options: Record<string, unknown>
      created_at: string
      updated_at: string
      finished_at: string | null
    }
  }
  /** Create a list, or with criteria a smart list */
  createList: {
    input: {
      body: {
        name?: string
        description?: string | null
        /** Who is in the list: a map of values, or the nested language of docs/criteria.md. */
        criteria?: unknown
        /** Of a smart list: whether entering and leaving are told. */
        track?: boolean
        /** Whether its people may leave and join it on their page of preferences. */
        public?: boolean
        public_name?: string | null
        public_description?: string | null
        /** Whether who is created into it, by a request or a form, waits as pending until they confirm. */
        double_opt_in?: boolean
        /** Whether entering and leaving by these new criteria is told, too. */
        announce?: boolean
      }
    }
    answer: {
      id: number
      name: string
      description: string | null
      type: 'static' | 'smart'
      /** Of a smart list, with the merge tags of now; null: a static list. */
      criteria: unknown
      criteria_version?: number
      /** Whether entering and leaving are told. */
      track?: boolean
      /** Whether its people may leave and join it on their page of preferences. */
      public: boolean
      public_name: string | null
      public_description: string | null
      /** Whether who is created into it waits until they confirm. */
      double_opt_in: boolean
      contacts_count: number
      counted_at: string
      created_at: string
      updated_at: string
    }
  }
  /** An address for a mail provider to post to */
  createProviderHook: {
    input: {
      body: {
        /** Whose messages come here. */
        provider: 'mailtrap' | 'ses' | 'generic'
        name?: string | null
        signing_secret?: string | null
        topic_arn?: string | null
      }
    }
    answer: {
      id: number
      provider: 'mailtrap' | 'ses' | 'generic'
      name: string | null
      /** Whether signatures are asked for; else the address alone is the proof. */
      is_verified: boolean
      topic_arn: string | null
      previous_url_until: string | null
      counts: {
        received: number
        /** Now in the activity of a contact. */
        recorded: number
        /** Taken before. */
        duplicates: number
        /** No contact has the address, and none is made of it. */
        unknown: number
        /** The address was erased. */
        suppressed: number
        /** Of a type that says nothing of a person. */
        ignored: number
        /** Could not be read, or is too old. */
        refused: number
        /** Requests whose signature was not right. */
        unverified: number
      }
      last_received_at: string | null
      created_at: string
      updated_at: string
      /** Shown this once: whoever knows it can post events. */
      url: string
    }
  }
  /** Save a mapping */
  createRecipe: {
    input: {
      body: {
        name: string
        /** Names of the file's columns, in their order: by these the recipe is proposed again. */
        columns: string[]
        /** Options of an import: see createImport. */
        options: Record<string, unknown>
      }
    }
    answer: {
      id: number
      name: string
      options: Record<string, unknown>
      created_at: string
      updated_at: string
    }
  }
  /** Add a template, in Liquid */
  createTemplate: {
    input: {
      body: {
        /** Small letters, digits and underscores. */
        name: string
        subject: string
        html: string
        text: string
      }
    }
    answer: {
      data: {
        name: string
        /** 0: as it comes with the service. */
        version: number
        /** Comes with the service: deleting it takes it back to how it came. */
        built_in: boolean
        subject: string
        html: string
        text: string
        updated_at: string | null
      }
    }
  }
  /** Make an API token: the answer shows it, and nothing does so again */
  createToken: {
    input: {
      body: {
        name: string
        /** read, write, admin: each includes the ones before. */
        scopes: ('read' | 'write' | 'admin')[]
        expires_at?: string | null
      }
    }
    answer: {
      id: number
      name: string
      /** Its last four characters. */
      hint: string
      /** read, write, admin: each includes the ones before. */
      scopes: ('read' | 'write' | 'admin')[]
      created_at: string
      expires_at: string | null
      last_used_at: string | null
      revoked_at: string | null
      token: string
    }
  }
  /** Save a view */
  createView: {
    input: {
      body: {
        name: string
        /** Everybody's in the account; else only its maker's. A token makes shared ones. */
        shared?: boolean
        q?: string | null
        criteria?: unknown | null
        /** Merge tags of fields, and other names, in their order. */
        columns?: string[]
        sort?: string | null
      }
    }
    answer: {
      id: number
      name: string
      /** Everybody's in the account; else only its maker's. A token makes shared ones. */
      shared: boolean
      q: string | null
      criteria: unknown | null
      /** Merge tags of fields, and other names, in their order. */
      columns: string[]
      sort: string | null
      created_at: string
      updated_at: string
    }
  }
  /** Tell an address what happens from now on */
  createWebhook: {
    input: {
      body: {
        /** Where messages are posted to: https://… or http://…. */
        url: string
        description?: string | null
        types?: ('created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled')[] | null
        /** Only events of contacts that meet them, as they are when the event is read: see docs/criteria.md. Events of the account, and that someone was deleted, are told all the same. null: everyone. */
        criteria?: unknown
        /** false, the default: an act on many is told once, by its change_set_finished. true: each person's event as well, up to 500 in one message. */
        each?: boolean
      }
    }
    answer: {
      id: number
      url: string
      description: string | null
      types: string[] | null
      criteria: unknown
      each: boolean
      enabled: boolean
      disabled_at: string | null
      disabled_reason: string | null
      failing_since: string | null
      /** Up to where it has read the feed. */
      position: number
      previous_secret_until: string | null
      created_at: string
      updated_at: string
      /** Shown this once. Messages are signed with it. */
      secret: string
    }
  }
  /** Remove up to 1,000 contacts */
  deleteBatch: {
    input: {
      body: {
        /** 1 to 1000 contacts, each by its id, its address or ext: and its external id. */
        contact_ids: unknown[]
      }
    }
    answer: {
      change_set_id: number
      updated?: number
      deleted?: number
      unchanged?: number
      not_found: number
      not_found_ids: string[]
    }
  }
  /** Remove a contact */
  deleteContact: {
    input: {
      path: {
        contact: string | number
      }
    }
    answer: undefined
  }
  /** Cancel an export, or remove its file */
  deleteExport: {
    input: {
      path: {
        export_id: string | number
      }
    }
    answer: undefined
  }
  /** Remove a field; its values follow */
  deleteField: {
    input: {
      path: {
        field_id: string | number
      }
    }
    answer: undefined
  }
  /** Remove a form; who has come by it stays */
  deleteForm: {
    input: {
      path: {
        form_id: string | number
      }
    }
    answer: undefined
  }
  /** Delete a list; its contacts stay */
  deleteList: {
    input: {
      path: {
        list_id: string | number
      }
    }
    answer: undefined
  }
  /** Delete a hook: its address answers nobody any more */
  deleteProviderHook: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** Remove a saved mapping */
  deleteRecipe: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** Take a suppression away; who has left by their own act stays as they are */
  deleteSuppression: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** Remove a template; a built-in one is again as it comes */
  deleteTemplate: {
    input: {
      path: {
        name: string | number
      }
    }
    answer: undefined
  }
  /** Delete a saved view */
  deleteView: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** Delete a webhook and its log */
  deleteWebhook: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** The file of an export; of at most 10,000 contacts also before it is finished */
  downloadExport: {
    input: {
      path: {
        export_id: string | number
      }
    }
    answer: Response
  }
  /** End all sessions of the user but this one */
  endOtherSessions: {
    input: Record<never, never>
    answer: undefined
  }
  /** End a session of the user */
  endSession: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** Erase a person from everything, for good */
  eraseContact: {
    input: {
      path: {
        contact: string | number
      }
    }
    answer: {
      id: string
      /** The same as `id`. */
      erasure_id: string
      /** Running until files and kept answers have been looked through, and what was at work has ended. */
      status: 'running' | 'finished'
      actor: string
      /** Rows and files that went, by what they were. */
      counts: Record<string, number>
      created_at: string
      finished_at: string | null
    }
  }
  /** Why criteria find a contact, or do not */
  explainCriteria: {
    input: {
      body: {
        /** Who is in the list: a map of values, or the nested language of docs/criteria.md. */
        criteria: unknown
        /** Id, address, or ext: and the external id. */
        contact: string
      }
    }
    answer: {
      list_id?: number
      contact_id: string
      matches: boolean
      changes_at: string | null
      /** For each part: `is`, `outcome`, `changes_at`; of a condition what it `seen`; its parts under `of`. */
      explanation: Record<string, unknown>
    }
  }
  /** Why a contact is in a list, or is not */
  explainMember: {
    input: {
      path: {
        list_id: string | number
        contact: string | number
      }
    }
    answer: {
      list_id?: number
      contact_id: string
      matches: boolean
      changes_at: string | null
      /** For each part: `is`, `outcome`, `changes_at`; of a condition what it `seen`; its parts under `of`. */
      explanation: Record<string, unknown>
    }
  }
  /** Everything held of one person */
  exportContact: {
    input: {
      path: {
        contact: string | number
      }
      query?: {
        format?: 'json' | 'zip'
      }
    }
    answer: {
      exported_at: string
      /** A person */
      contact: {
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      }
      /** How the fields are defined. */
      fields: ({
        id: number
        name: string
        /** The nearest official kind. */
        data_type: 'text' | 'integer' | 'float' | 'boolean' | 'date'
        merge_tag: string
        type: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
        required: boolean
        /** By people, on their page of preferences. */
        editable: boolean
        min: number | null
        max: number | null
        options: string[] | null
        default: string | number | boolean | null
        format: string | null
        converting_to?: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
        created_at: string
        updated_at: string
      })[]
      /** Lists of now have `since`, those of before `left_at`. */
      lists: ({
        list_id: number | null
        name: string | null
        since: string | null
        left_at: string | null
      })[]
      /** All that happened to them and that they did. */
      events: ({
        id: string
        type: 'created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled'
        types: ('created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled')[]
        name: string | null
        at: string
        data: Record<string, unknown>
        contact_id: string | null
        change_set_id: number | null
      })[]
      /** Every permission and its withdrawal, with its evidence. */
      consents: ({
        id: string
        action: string
        grade: string
        source: string
        actor: string
        ip: string | null
        data: Record<string, unknown> | null
        at: string
      })[]
      /** Without its texts where they can not be opened any more. */
      mails: ({
        id: string
        template: string
        template_version: number
        phase: string
        at: string
        sent_at: string | null
        to?: string
        subject?: string
        text?: string
      })[]
      /** Their rows of imports, batches, bulk acts and reverts. */
      changes: ({
        change_set_id: number
        kind: string
        actor: string
        at: string
        file_name: string | null
        line: number
        action: string | null
        email: string | null
        before: Record<string, unknown> | null
        after: Record<string, unknown> | null
        problem: Record<string, unknown> | null
      })[]
      /** Entries that forbid mail to them. */
      suppressions: ({
        kind: string
        reason: string
        source: string
        at: string
        expires_at: string | null
      })[]
      /** Webhooks that were told of them. */
      recipients: ({
        url: string
        messages: number
        last_at: string
      })[]
    }
  }
  /** The same as server-sent events, until it ends */
  followImport: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: Response
  }
  /** The account and its settings */
  getAccount: {
    input: Record<never, never>
    answer: {
      id: number
      name: string
      /** Of the public pages, as #rrggbb. */
      color: string
      /** Of mails, and of public pages for readers whose own language they do not have; one of `languages`. */
      language: string
      /** IANA name, such as Europe/Berlin: where days begin and end. */
      time_zone: string
      /** What becomes of a key in `fields` that no field has: a field is created, the request is refused, or the key is ignored. */
      unknown_fields: 'create' | 'reject' | 'ignore'
      /** Whether an unset field is left out of `fields` or answered as null. */
      null_fields: 'omit' | 'include'
      /** State of people whom an import brings without saying their state. */
      import_default_state: 'subscribed' | 'none' | 'pending' | 'unsubscribed'
      /** People created without a state of their own wait as pending until they confirm. */
      double_opt_in: boolean
      /** So many mails in a row that were refused for the moment, with none delivered in between, make someone bounced. */
      soft_bounce_limit: number
      /** A template that is mailed to whoever has confirmed; null: none. A form may name another. */
      welcome_template: string | null
      /** For how many days events, mails, and the rows of acts on many people are kept; null: for good. An act whose rows have gone can not be taken back any more. */
      retention: {
        events_days: number | null
        mails_days: number | null
        changes_days: number | null
      }
      /** Those that mails and public pages can have. */
      languages: string[]
      created_at: string
      updated_at: string
    }
  }
  /** One act on many people */
  getChangeSet: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      kind: string
      phase: string
      actor: string
      options: Record<string, unknown>
      counts: Record<string, number>
      created_at: string
      finished_at: string | null
    }
  }
  /** One contact */
  getContact: {
    input: {
      path: {
        contact: string | number
      }
      query?: {
        include?: string
        list_id?: number
      }
    }
    answer: {
      /** A person */
      data: {
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      }
    }
  }
  /** A person's own links, to be put into mail to them */
  getContactLinks: {
    input: {
      path: {
        contact: string | number
      }
      query?: {
        list_id?: number
      }
    }
    answer: {
      unsubscribe_url: string
      preferences_url: string
    }
  }
  /** One delivery, with what is sent */
  getDelivery: {
    input: {
      path: {
        id: string | number
        delivery: string | number
      }
    }
    answer: {
      id: number
      /** The webhook-id, the same each time it is sent. */
      message_id: string
      kind: 'event' | 'events' | 'test'
      event_ids: string[]
      state: 'pending' | 'delivered' | 'failed' | 'erased'
      tries: number
      next_try_at: string | null
      /** The last 20, the latest last. */
      attempts: ({
        at: string
        status: number | null
        answer: string | null
        error: string | null
        latency_ms: number
      })[]
      created_at: string
      finished_at: string | null
      request: {
        url: string
        body: string | null
      }
    }
  }
  /** What an act did to each person */
  getDiff: {
    input: {
      path: {
        id: string | number
      }
      query?: {
        per_page?: number
        cursor?: string
      }
    }
    answer: {
      data: ({
        line: number
        email: string | null
        action: string | null
        contact_id: string | null
        before: Record<string, unknown> | null
        after: Record<string, unknown> | null
        problem: unknown
      })[]
      per_page: number
      next_cursor: string | null
    }
  }
  /** The receipt of an erasure: what went, and nothing of whom */
  getErasure: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: string
      /** The same as `id`. */
      erasure_id: string
      /** Running until files and kept answers have been looked through, and what was at work has ended. */
      status: 'running' | 'finished'
      actor: string
      /** Rows and files that went, by what they were. */
      counts: Record<string, number>
      created_at: string
      finished_at: string | null
    }
  }
  /** One export */
  getExport: {
    input: {
      path: {
        export_id: string | number
      }
    }
    answer: {
      id: number
      /** The official words; phase tells more. */
      status: 'created' | 'started' | 'finished'
      phase: 'queued' | 'running' | 'finished' | 'failed' | 'expired'
      format: 'csv' | 'csv.gz' | 'xlsx' | 'ndjson'
      created_at: string
      updated_at: string
      finished_at: string | null
      url: string | null
      expires_at: string | null
      bytes: number | null
      progress: {
        written: number
        total: number | null
      }
      error: string | null
      /** What was asked for. */
      request: unknown
    }
  }
  /** One field, and how many contacts have a value */
  getField: {
    input: {
      path: {
        field_id: string | number
      }
    }
    answer: {
      id: number
      name: string
      /** The nearest official kind. */
      data_type: 'text' | 'integer' | 'float' | 'boolean' | 'date'
      merge_tag: string
      type: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      required: boolean
      /** By people, on their page of preferences. */
      editable: boolean
      min: number | null
      max: number | null
      options: string[] | null
      default: string | number | boolean | null
      format: string | null
      converting_to?: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      created_at: string
      updated_at: string
      values_count: number
    }
  }
  /** How many contacts have a value for each field, and what speaks of it */
  getFieldUsage: {
    input: Record<never, never>
    answer: {
      data: ({
        field_id: number
        filled: {
          count: number
          /** From 0 to 1. */
          share: number
        }
        used_by: ({
          kind: 'smart_list' | 'form' | 'webhook' | 'view' | 'recipe' | 'template'
          id: number | string
          name: string | null
        })[]
      })[]
      /** Contacts that were looked at. */
      looked_at: number
      /** Whether these are all there are; else the numbers are estimates. */
      is_exact: boolean
      /** By how much a share may be off, 95 times in 100. */
      margin: number
    }
  }
  /** One form */
  getForm: {
    input: {
      path: {
        form_id: string | number
      }
    }
    answer: {
      data: {
        id: number
        /** Counts up with each change; the ledger names it. */
        version: number
        /** The page that shows it. */
        url: string
        /** For yourself; unique. */
        name: string
        /** Whether it can be filled. */
        active: boolean
        /** Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given. */
        double_opt_in: boolean
        /** Static lists that people join. */
        list_ids: number[]
        fields: ({
          field: string
          label: string | null
          required: boolean
        })[]
        redirect_url: string | null
        /** Whose pages may show the form in a frame, such as https://www.example.com. */
        frame_origins: string[]
        welcome_template: string | null
        title: string | null
        introduction: string | null
        consent: string | null
        button: string | null
        success: string | null
        created_at: string
        updated_at: string
      }
    }
  }
  /** HTML that puts a form into a page of your own */
  getFormEmbed: {
    input: {
      path: {
        form_id: string | number
      }
    }
    answer: {
      data: {
        url: string
        /** The form in plain HTML, for a page of your own. */
        html: string
        /** The page in a frame; the origin of yours must stand in frame_origins. */
        iframe: string
      }
    }
  }
  /** How often each form was filled, and how many of its sign-ups were confirmed, day by day */
  getFormStats: {
    input: {
      query?: {
        days?: number
      }
    }
    answer: {
      data: ({
        form_id: number
        sign_ups: number
        confirmed: number
        days: ({
          day: string
          sign_ups: number
          confirmed: number
        })[]
      })[]
    }
  }
  /** How far an import is, and what it has done */
  getImport: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      status: 'created' | 'started' | 'finished' | 'failed'
      phase: 'queued' | 'reading' | 'validating' | 'ready' | 'merging' | 'finished' | 'failed' | 'cancelled' | 'reverting' | 'reverted'
      problem: string | null
      change_set_id: number
      rows_read: number
      created_contacts_count: number
      updated_contacts_count: number
      unchanged_contacts_count: number
      duplicate_rows_count: number
      rejected_rows_count: number
      suppressed_contacts_count: number
      contacts_over_limit_count: number
      opted_out_contacts_count: number
      kept_unsubscribed_contacts_count: number
      not_applied_rows_count: number
      /** Why rows were rejected, by cause. */
      errors: ({
        field: string
        column: string | null
        message: string
        count: number
        /** The first line of which it holds. */
        line: number
        /** What stood there, the most frequent first, where it is a word that value_mapping may mend. */
        values: ({
          value: string
          count: number
        })[]
      })[]
      warnings: ({
        kind: string
        column: string
        count: number
        line: number
        suggestion?: string
      })[]
      progress: {
        bytes_total: number
        bytes_read: number
        rows_read: number
        rows_to_merge: number
        rows_merged: number
      }
      file: {
        name: string | null
        bytes: number
        sha256: string
        kept: boolean
      }
      detected: Record<string, unknown> | null
      columns: ({
        name: string
        goes_to: string | null
        sure?: 'given' | 'exact' | 'likely' | 'new'
        /** Why it is left out. */
        because?: string
      })[] | null
      options: Record<string, unknown>
      created_at: string
      updated_at: string
      finished_at: string | null
    }
  }
  /** One list */
  getList: {
    input: {
      path: {
        list_id: string | number
      }
    }
    answer: {
      id: number
      name: string
      description: string | null
      type: 'static' | 'smart'
      /** Of a smart list, with the merge tags of now; null: a static list. */
      criteria: unknown
      criteria_version?: number
      /** Whether entering and leaving are told. */
      track?: boolean
      /** Whether its people may leave and join it on their page of preferences. */
      public: boolean
      public_name: string | null
      public_description: string | null
      /** Whether who is created into it waits until they confirm. */
      double_opt_in: boolean
      contacts_count: number
      counted_at: string
      created_at: string
      updated_at: string
    }
  }
  /** Whom a list took in and let go, day by day, and how many were in it */
  getListGrowth: {
    input: {
      path: {
        list_id: string | number
      }
      query?: {
        days?: number
      }
    }
    answer: {
      days: ({
        day: string
        entered: number
        left: number
        contacts: number
      })[]
    }
  }
  /** Who entered a list and who left it, the latest first */
  getListMoves: {
    input: {
      path: {
        list_id: string | number
      }
      query?: {
        day?: string
        move?: 'entered' | 'left'
        per_page?: number
        cursor?: string
      }
    }
    answer: {
      data: ({
        event_id: string
        at: string
        move: 'entered' | 'left'
        contact_id: string
        email: string
        change_set_id: number | null
      })[]
      per_page: number
      next_cursor: string | null
    }
  }
  /** What speaks of a list: smart lists, forms, webhooks, views, mappings of imports */
  getListUsage: {
    input: {
      path: {
        list_id: string | number
      }
    }
    answer: {
      used_by: ({
        kind: 'smart_list' | 'form' | 'webhook' | 'view' | 'recipe'
        id: number
        name: string | null
      })[]
    }
  }
  /** One mail with what it says */
  getMessage: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      data: {
        id: string
        contact_id: string
        /** The address that the contact has now. */
        email: string
        template: string
        template_version: number
        phase: 'queued' | 'sent' | 'kept' | 'failed' | 'cancelled'
        attempts: number
        error: string | null
        created_at: string
        sent_at: string | null
        to: string | null
        subject: string | null
        html: string | null
        text: string | null
        /** As they go out, before they are encoded; mail servers add more. */
        headers: ({
          name: string
          value: string
        })[]
      }
    }
  }
  /** One hook, with what has come to it */
  getProviderHook: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      provider: 'mailtrap' | 'ses' | 'generic'
      name: string | null
      /** Whether signatures are asked for; else the address alone is the proof. */
      is_verified: boolean
      topic_arn: string | null
      previous_url_until: string | null
      counts: {
        received: number
        /** Now in the activity of a contact. */
        recorded: number
        /** Taken before. */
        duplicates: number
        /** No contact has the address, and none is made of it. */
        unknown: number
        /** The address was erased. */
        suppressed: number
        /** Of a type that says nothing of a person. */
        ignored: number
        /** Could not be read, or is too old. */
        refused: number
        /** Requests whose signature was not right. */
        unverified: number
      }
      last_received_at: string | null
      created_at: string
      updated_at: string
    }
  }
  /** One saved mapping */
  getRecipe: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      name: string
      options: Record<string, unknown>
      created_at: string
      updated_at: string
    }
  }
  /** Rejected rows as CSV: the original columns, and why */
  getRejectedRows: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: Response
  }
  /** Who is signed in, and which accounts they may enter */
  getSession: {
    input: Record<never, never>
    answer: {
      user: {
        id: number
        email: string
        name: string
      }
      /** Those that the user may enter, by name. */
      accounts: ({
        id: number
        name: string
        role: 'viewer' | 'editor' | 'admin'
        time_zone: string
        color: string
      })[]
    }
  }
  /** How the audience stands, and how it moved in the last days */
  getStats: {
    input: {
      query?: {
        days?: number
      }
    }
    answer: {
      by_state: Record<string, number>
      by_origin: Record<string, number>
      days: ({
        day: string
        joined: number
        left: number
        subscribed: number
      })[]
      mail: Record<string, number>
      mails_waiting: number
      moved: ({
        list_id: number
        name: string
        entered: number
        left: number
      })[]
    }
  }
  /** One template */
  getTemplate: {
    input: {
      path: {
        name: string | number
      }
      query?: {
        version?: number
      }
    }
    answer: {
      data: {
        name: string
        /** 0: as it comes with the service. */
        version: number
        /** Comes with the service: deleting it takes it back to how it came. */
        built_in: boolean
        subject: string
        html: string
        text: string
        updated_at: string | null
      }
    }
  }
  /** What welcomes people by a template: forms, and the account itself */
  getTemplateUsage: {
    input: {
      path: {
        name: string | number
      }
    }
    answer: {
      used_by: ({
        kind: 'account' | 'form'
        id: number
        name: string
      })[]
    }
  }
  /** One saved view */
  getView: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      name: string
      /** Everybody's in the account; else only its maker's. A token makes shared ones. */
      shared: boolean
      q: string | null
      criteria: unknown | null
      /** Merge tags of fields, and other names, in their order. */
      columns: string[]
      sort: string | null
      created_at: string
      updated_at: string
    }
  }
  /** One webhook */
  getWebhook: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      url: string
      description: string | null
      types: string[] | null
      criteria: unknown
      each: boolean
      enabled: boolean
      disabled_at: string | null
      disabled_reason: string | null
      failing_since: string | null
      /** Up to where it has read the feed. */
      position: number
      previous_secret_until: string | null
      created_at: string
      updated_at: string
    }
  }
  /** Invite someone into the account, by a link that works once, within 7 days */
  inviteUser: {
    input: {
      body: {
        email: string
        /** viewer: look; editor: also change people, lists and what goes with them; admin: all. */
        role: 'viewer' | 'editor' | 'admin'
      }
    }
    answer: {
      id: number
      email: string
      /** viewer: look; editor: also change people, lists and what goes with them; admin: all. */
      role: 'viewer' | 'editor' | 'admin'
      created_at: string
      expires_at: string
      /** Works once. Shown only now: hand it to its person. */
      link: string
    }
  }
  /** Who did what by hand, the latest first */
  listAudit: {
    input: {
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: number
        at: string
        actor: string
        ip: string | null
        action: string
        data: Record<string, unknown>
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Acts on many people, the latest first */
  listChangeSets: {
    input: {
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: number
        kind: string
        phase: string
        actor: string
        options: Record<string, unknown>
        counts: Record<string, number>
        created_at: string
        finished_at: string | null
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Every permission of a person and its withdrawal, the latest first */
  listConsents: {
    input: {
      path: {
        contact: string | number
      }
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: string
        action: 'granted' | 'withdrawn'
        /** Seen on our own pages, or told by a caller or a file. */
        grade: 'observed' | 'asserted'
        list_id: number | null
        source: string
        actor: string
        ip: string | null
        data: Record<string, unknown>
        at: string
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** What happened to a contact, the latest first */
  listContactEvents: {
    input: {
      path: {
        contact: string | number
      }
      query?: {
        page?: number
        per_page?: number
        cursor?: string
        types?: string
      }
    }
    answer: {
      data: ({
        id: string
        type: 'created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled'
        types: ('created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled')[]
        name?: string
        at: string
        data: Record<string, unknown>
        contact_id: string | null
        change_set_id?: number
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Search and filter contacts */
  listContacts: {
    input: {
      query?: {
        q?: string
        sort?: string
        count?: 'exact' | 'capped'
        include?: string
        page?: number
        per_page?: number
        cursor?: string
      }
    }
    answer: {
      data: ({
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** What was sent to a webhook in the last 14 days, and how it went; the latest first */
  listDeliveries: {
    input: {
      path: {
        id: string | number
      }
      query?: {
        page?: number
        per_page?: number
        cursor?: string
        state?: 'pending' | 'delivered' | 'failed' | 'erased'
      }
    }
    answer: {
      data: ({
        id: number
        /** The webhook-id, the same each time it is sent. */
        message_id: string
        kind: 'event' | 'events' | 'test'
        event_ids: string[]
        state: 'pending' | 'delivered' | 'failed' | 'erased'
        tries: number
        next_try_at: string | null
        /** The last 20, the latest last. */
        attempts: ({
          at: string
          status: number | null
          answer: string | null
          error: string | null
          latency_ms: number
        })[]
        created_at: string
        finished_at: string | null
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Receipts of erasures, the latest first */
  listErasures: {
    input: {
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: string
        /** The same as `id`. */
        erasure_id: string
        /** Running until files and kept answers have been looked through, and what was at work has ended. */
        status: 'running' | 'finished'
        actor: string
        /** Rows and files that went, by what they were. */
        counts: Record<string, number>
        created_at: string
        finished_at: string | null
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Exports, the newest first */
  listExports: {
    input: {
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: number
        /** The official words; phase tells more. */
        status: 'created' | 'started' | 'finished'
        phase: 'queued' | 'running' | 'finished' | 'failed' | 'expired'
        format: 'csv' | 'csv.gz' | 'xlsx' | 'ndjson'
        created_at: string
        updated_at: string
        finished_at: string | null
        url: string | null
        expires_at: string | null
        bytes: number | null
        progress: {
          written: number
          total: number | null
        }
        error: string | null
        /** What was asked for. */
        request: unknown
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Values that contacts have, the commonest first: to suggest some */
  listFieldValues: {
    input: {
      path: {
        field_id: string | number
      }
      query?: {
        q?: string
        limit?: number
      }
    }
    answer: {
      values: ({
        value: string
        count: number
      })[]
      /** Contacts that were looked at. */
      looked_at: number
      /** Whether these are all there are; else the numbers are estimates. */
      is_exact: boolean
    }
  }
  /** All fields */
  listFields: {
    input: Record<never, never>
    answer: ({
      id: number
      name: string
      /** The nearest official kind. */
      data_type: 'text' | 'integer' | 'float' | 'boolean' | 'date'
      merge_tag: string
      type: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      required: boolean
      /** By people, on their page of preferences. */
      editable: boolean
      min: number | null
      max: number | null
      options: string[] | null
      default: string | number | boolean | null
      format: string | null
      converting_to?: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      created_at: string
      updated_at: string
    })[]
  }
  /** Sign-up forms */
  listForms: {
    input: Record<never, never>
    answer: {
      data: ({
        id: number
        /** Counts up with each change; the ledger names it. */
        version: number
        /** The page that shows it. */
        url: string
        /** For yourself; unique. */
        name: string
        /** Whether it can be filled. */
        active: boolean
        /** Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given. */
        double_opt_in: boolean
        /** Static lists that people join. */
        list_ids: number[]
        fields: ({
          field: string
          label: string | null
          required: boolean
        })[]
        redirect_url: string | null
        /** Whose pages may show the form in a frame, such as https://www.example.com. */
        frame_origins: string[]
        welcome_template: string | null
        title: string | null
        introduction: string | null
        consent: string | null
        button: string | null
        success: string | null
        created_at: string
        updated_at: string
      })[]
    }
  }
  /** Whom each row was about: address, id, and what was done */
  listImportedContacts: {
    input: {
      path: {
        id: string | number
      }
      query?: {
        per_page?: number
        cursor?: string
        format?: 'json' | 'csv'
      }
    }
    answer: {
      data: ({
        line: number
        email: string | null
        id: string | null
        action: string
      })[]
      per_page: number
      next_cursor: string | null
    }
  }
  /** All imports, the latest first */
  listImports: {
    input: {
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: number
        status: 'created' | 'started' | 'finished' | 'failed'
        phase: 'queued' | 'reading' | 'validating' | 'ready' | 'merging' | 'finished' | 'failed' | 'cancelled' | 'reverting' | 'reverted'
        problem: string | null
        change_set_id: number
        rows_read: number
        created_contacts_count: number
        updated_contacts_count: number
        unchanged_contacts_count: number
        duplicate_rows_count: number
        rejected_rows_count: number
        suppressed_contacts_count: number
        contacts_over_limit_count: number
        opted_out_contacts_count: number
        kept_unsubscribed_contacts_count: number
        not_applied_rows_count: number
        /** Why rows were rejected, by cause. */
        errors: ({
          field: string
          column: string | null
          message: string
          count: number
          /** The first line of which it holds. */
          line: number
          /** What stood there, the most frequent first, where it is a word that value_mapping may mend. */
          values: ({
            value: string
            count: number
          })[]
        })[]
        warnings: ({
          kind: string
          column: string
          count: number
          line: number
          suggestion?: string
        })[]
        progress: {
          bytes_total: number
          bytes_read: number
          rows_read: number
          rows_to_merge: number
          rows_merged: number
        }
        file: {
          name: string | null
          bytes: number
          sha256: string
          kept: boolean
        }
        detected: Record<string, unknown> | null
        columns: ({
          name: string
          goes_to: string | null
          sure?: 'given' | 'exact' | 'likely' | 'new'
          /** Why it is left out. */
          because?: string
        })[] | null
        options: Record<string, unknown>
        created_at: string
        updated_at: string
        finished_at: string | null
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Invitations that wait for their person, the latest first */
  listInvitations: {
    input: Record<never, never>
    answer: ({
      id: number
      email: string
      /** viewer: look; editor: also change people, lists and what goes with them; admin: all. */
      role: 'viewer' | 'editor' | 'admin'
      created_at: string
      expires_at: string
    })[]
  }
  /** All lists */
  listLists: {
    input: {
      query?: {
        search?: string
      }
    }
    answer: ({
      id: number
      name: string
      description: string | null
      type: 'static' | 'smart'
      /** Of a smart list, with the merge tags of now; null: a static list. */
      criteria: unknown
      criteria_version?: number
      /** Whether entering and leaving are told. */
      track?: boolean
      /** Whether its people may leave and join it on their page of preferences. */
      public: boolean
      public_name: string | null
      public_description: string | null
      /** Whether who is created into it waits until they confirm. */
      double_opt_in: boolean
      contacts_count: number
      counted_at: string
      created_at: string
      updated_at: string
    })[]
  }
  /** The contacts in a list */
  listMembers: {
    input: {
      path: {
        list_id: string | number
      }
      query?: {
        q?: string
        sort?: string
        count?: 'exact' | 'capped'
        include?: string
        page?: number
        per_page?: number
        cursor?: string
      }
    }
    answer: {
      data: ({
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Mails, the latest first */
  listMessages: {
    input: {
      query?: {
        page?: number
        per_page?: number
        cursor?: string
        contact?: string
        phase?: 'queued' | 'sent' | 'kept' | 'failed' | 'cancelled'
      }
    }
    answer: {
      data: ({
        id: string
        contact_id: string
        /** The address that the contact has now. */
        email: string
        template: string
        template_version: number
        phase: 'queued' | 'sent' | 'kept' | 'failed' | 'cancelled'
        attempts: number
        error: string | null
        created_at: string
        sent_at: string | null
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Where mail providers post what becomes of mails */
  listProviderHooks: {
    input: {
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: number
        provider: 'mailtrap' | 'ses' | 'generic'
        name: string | null
        /** Whether signatures are asked for; else the address alone is the proof. */
        is_verified: boolean
        topic_arn: string | null
        previous_url_until: string | null
        counts: {
          received: number
          /** Now in the activity of a contact. */
          recorded: number
          /** Taken before. */
          duplicates: number
          /** No contact has the address, and none is made of it. */
          unknown: number
          /** The address was erased. */
          suppressed: number
          /** Of a type that says nothing of a person. */
          ignored: number
          /** Could not be read, or is too old. */
          refused: number
          /** Requests whose signature was not right. */
          unverified: number
        }
        last_received_at: string | null
        created_at: string
        updated_at: string
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Saved mappings with their rules */
  listRecipes: {
    input: Record<never, never>
    answer: ({
      id: number
      name: string
      options: Record<string, unknown>
      created_at: string
      updated_at: string
    })[]
  }
  /** Where the user is signed in, the last used first */
  listSessions: {
    input: Record<never, never>
    answer: ({
      id: number
      ip: string | null
      agent: string | null
      is_current: boolean
      created_at: string
      /** To the minute. */
      seen_at: string
      /** When it ends unless it is used. */
      expires_at: string
    })[]
  }
  /** Addresses and domains that may not be mailed, the latest first */
  listSuppressions: {
    input: {
      query?: {
        page?: number
        per_page?: number
        kind?: 'address' | 'sha256' | 'domain'
        reason?: string
        email?: string
      }
    }
    answer: {
      data: ({
        id: number
        kind: 'address' | 'sha256' | 'domain'
        value: string
        reason: string
        source: string
        created_at: string
        expires_at: string | null
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** The versions that were saved of a template, the latest first */
  listTemplateVersions: {
    input: {
      path: {
        name: string | number
      }
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        version: number
        /** Who saved it: user:ID, token:ID, …. */
        actor: string
        created_at: string
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Templates of mails, built-in ones too */
  listTemplates: {
    input: Record<never, never>
    answer: {
      data: ({
        name: string
        /** 0: as it comes with the service. */
        version: number
        /** Comes with the service: deleting it takes it back to how it came. */
        built_in: boolean
        subject: string
        html: string
        text: string
        updated_at: string | null
      })[]
    }
  }
  /** The API tokens of the account, the newest first, the revoked ones too */
  listTokens: {
    input: Record<never, never>
    answer: ({
      id: number
      name: string
      /** Its last four characters. */
      hint: string
      /** read, write, admin: each includes the ones before. */
      scopes: ('read' | 'write' | 'admin')[]
      created_at: string
      expires_at: string | null
      last_used_at: string | null
      revoked_at: string | null
    })[]
  }
  /** Who may enter the account in a browser */
  listUsers: {
    input: Record<never, never>
    answer: ({
      id: number
      email: string
      name: string
      /** viewer: look; editor: also change people, lists and what goes with them; admin: all. */
      role: 'viewer' | 'editor' | 'admin'
      /** Since when they may enter this account. */
      created_at: string
      last_seen_at: string | null
    })[]
  }
  /** Saved views of the contacts: your own and those of everybody */
  listViews: {
    input: Record<never, never>
    answer: ({
      id: number
      name: string
      /** Everybody's in the account; else only its maker's. A token makes shared ones. */
      shared: boolean
      q: string | null
      criteria: unknown | null
      /** Merge tags of fields, and other names, in their order. */
      columns: string[]
      sort: string | null
      created_at: string
      updated_at: string
    })[]
  }
  /** All webhooks */
  listWebhooks: {
    input: {
      query?: {
        page?: number
        per_page?: number
      }
    }
    answer: {
      data: ({
        id: number
        url: string
        description: string | null
        types: string[] | null
        criteria: unknown
        each: boolean
        enabled: boolean
        disabled_at: string | null
        disabled_reason: string | null
        failing_since: string | null
        /** Up to where it has read the feed. */
        position: number
        previous_secret_until: string | null
        created_at: string
        updated_at: string
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Make a link by which a user sets a new password, within 24 hours */
  makeResetLink: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      /** Works once. Shown only now: hand it to its person. */
      link: string
    }
  }
  /** Move everyone from other lists into this one, and delete those */
  mergeLists: {
    input: {
      path: {
        list_id: string | number
      }
      body: {
        list_ids: number[]
      }
    }
    answer: {
      change_set_id: number
      added: number
      already_members: number
      opted_out: number
      merged_list_ids: number[]
    }
  }
  /** How many contacts criteria find, and some of them */
  previewCriteria: {
    input: {
      body: {
        /** Who is in the list: a map of values, or the nested language of docs/criteria.md. */
        criteria: unknown
        /** capped, unless another is asked for: to 10,000. estimated: the same where that is known within a moment, else about how many, from a sample. */
        count?: 'exact' | 'capped' | 'estimated'
      }
    }
    answer: {
      count: number
      /** There are more than `count`. */
      count_is_capped?: boolean
      /** There are about so many, which a sample says, and `sample` is of that; 0: few, if any. */
      count_is_estimated?: boolean
      sample: ({
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      })[]
    }
  }
  /** The page that a form of these settings would have; saves nothing */
  previewForm: {
    input: {
      body: {
        /** For yourself; unique. */
        name?: string
        /** Whether it can be filled. */
        active?: boolean
        /** Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given. */
        double_opt_in?: boolean
        /** Static lists that people join. */
        list_ids?: number[]
        /** Asked for beside the address, in this order. */
        fields?: ({
          /** Its merge tag. */
          field: string
          label?: string | null
          required?: boolean
        })[]
        redirect_url?: string | null
        /** Whose pages may show the form in a frame, such as https://www.example.com. */
        frame_origins?: string[]
        welcome_template?: string | null
        title?: string | null
        introduction?: string | null
        consent?: string | null
        button?: string | null
        success?: string | null
        /** The page with the form, unless given; or that after it. */
        shows?: 'form' | 'success'
        /** Of its reader; that of the account unless given. */
        language?: string
      }
    }
    answer: {
      data: {
        /** A whole document. */
        html: string
      }
    }
  }
  /** What a file, or its first part, looks like */
  previewImport: {
    input: {
      form?: {
        file: string
        /** Lists that everyone in the file joins; `list_id` is the same for one. */
        list_ids?: number[]
        /** Tags that everyone in the file gets. */
        tags?: string[]
        /** Whether people who are there already get the values of the file; else they only join the lists and get the tags given here. False unless given. */
        update_existing?: boolean
        /** Whether rows that can not be taken are left out; else nothing is imported if there is one. True unless given. */
        skip_invalid?: boolean
        /** Whether an empty cell unsets a value; else it changes nothing. */
        clear_empty?: boolean
        /** Stops before anything changes: what would be done can be seen, and then applied. */
        dry_run?: boolean
        /** What says that a row is about someone known. */
        match_by?: 'email' | 'external_id'
        /** State of new people whose row says none; the account's import_default_state unless given. */
        state?: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        /** Evidence that is kept with the permission of everyone new. */
        consent?: {
          /** Where they gave their permission. */
          source?: string
          /** What they agreed to. */
          wording?: string
          /** When: a day or a moment. */
          obtained_at?: string
        }
        /** Where columns go, by their names: a merge tag, email, external_id, tags, lists, state, created_at, consent_at, consent_ip, consent_source, full_name; null or an empty text leaves a column out. Columns that are not named go where their name says. */
        field_mapping?: Record<string, string | null>
        /** By column or merge tag: what a value stands for, as {"plan":{"pro plan":"Pro"}}; null for nothing. */
        value_mapping?: Record<string, Record<string, string | null>>
        /** By column: trim; full_name (first and last name in one); address (Name <a@example.com>); first_address (the first of several). */
        rules?: Record<string, ('trim' | 'full_name' | 'address' | 'first_address')[]>
        /** Found by content unless given. */
        format?: 'csv' | 'xlsx' | 'ndjson' | 'json'
        /** One character, or `tab`. */
        delimiter?: string
        /** utf-8, utf-16le, windows-1252, … Found by content unless given. */
        encoding?: string
        /** Name of the sheet to read; the first one unless given. */
        sheet?: string
        /** Whether the first row has the names of the columns. Found by content unless given. */
        header?: boolean
        /** Order of day, month and year. Found by content unless given. */
        date_order?: 'dmy' | 'mdy' | 'ymd'
        /** A recipe whose options count where none is given. */
        recipe_id?: number
      }
    }
    answer: {
      detected: Record<string, unknown>
      rows_seen: number
      /** Whether those were all rows of what was sent. */
      is_whole: boolean
      columns: ({
        name: string
        goes_to: string | null
        sure?: 'given' | 'exact' | 'likely' | 'new'
        /** Of where it goes, 0 to 1. */
        confidence: number
        because?: string
        kind: string | null
        samples: string[]
        filled: number
        /** Whether its dates can be read in two ways: say date_order. */
        ambiguous: boolean
      })[]
      fields_created: ({
        merge_tag: string
        name: string
        type: string
        guessed_kind: string | null
      })[]
      problems: string[]
      recipe: {
        id: number
        name: string
        options: Record<string, unknown>
      } | null
    }
  }
  /** What a template makes for a contact; sends nothing */
  previewTemplate: {
    input: {
      path: {
        name: string | number
      }
      body: {
        /** Id, address, or ext: and the external id. */
        contact: string
        subject?: string
        html?: string
        text?: string
        variables?: Record<string, unknown>
      }
    }
    answer: {
      subject: string
      html: string
      text: string
      undefined_variables: string[]
    }
  }
  /** Change a contact, or create it when its address is new */
  putContact: {
    input: {
      path: {
        contact: string | number
      }
      body: {
        email?: string
        /** How another system calls this person; unique in the account. */
        external_id?: string | null
        /** By merge tag: texts, numbers, booleans, dates as YYYY-MM-DD; null or an empty text unsets. */
        fields?: Record<string, unknown>
        tags?: string[]
        unsubscribed?: boolean
        /** Of someone new: whether they wait as pending until they confirm, whom a mail then asks to. By default as the account says. */
        double_opt_in?: boolean
        list_ids?: number[]
        list_ids_included?: number[]
        list_ids_excluded?: number[]
      }
    }
    answer: {
      /** A person */
      data: {
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      }
      action: 'created' | 'updated'
    }
  }
  /** All that happened in the account, in an order without gaps */
  readFeed: {
    input: {
      query?: {
        include?: 'contact_email'
        types?: string
        contact?: string
        after?: string
        before?: string
        limit?: number
      }
    }
    answer: {
      data: ({
        id: string
        type: 'created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled' | 'erased'
        types: ('created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled' | 'erased')[]
        name?: string
        at: string
        data: Record<string, unknown>
        contact_id: string | null
        change_set_id?: number
        contact_email?: string | null
        /** Its place: each by one more than the one before. */
        position: number
      })[]
      /** To go on from here, now or at any later time. */
      next_cursor: string
      /** Whether there is more behind next_cursor already. */
      has_more: boolean
    }
  }
  /** Send a delivery again, under the same id */
  redeliver: {
    input: {
      path: {
        id: string | number
        delivery: string | number
      }
    }
    answer: {
      id: number
      /** The webhook-id, the same each time it is sent. */
      message_id: string
      kind: 'event' | 'events' | 'test'
      event_ids: string[]
      state: 'pending' | 'delivered' | 'failed' | 'erased'
      tries: number
      next_try_at: string | null
      /** The last 20, the latest last. */
      attempts: ({
        at: string
        status: number | null
        answer: string | null
        error: string | null
        latency_ms: number
      })[]
      created_at: string
      finished_at: string | null
    }
  }
  /** Remove one contact from a list */
  removeMember: {
    input: {
      path: {
        list_id: string | number
        contact: string | number
      }
    }
    answer: undefined
  }
  /** Remove up to 1,000 contacts */
  removeMembers: {
    input: {
      path: {
        list_id: string | number
      }
      body: {
        /** 1 to 1000 contacts, each by its id, its address or ext: and its external id. */
        contact_ids: unknown[]
      }
    }
    answer: {
      change_set_id: number
      removed: number
      not_members: number
      not_found: number
      not_found_ids: string[]
    }
  }
  /** Take a user out of the account */
  removeUser: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** Read the feed on from another position */
  replayWebhook: {
    input: {
      path: {
        id: string | number
      }
      body: {
        /** A cursor of GET events, `start` or `now`: the webhook reads the feed on from there. */
        after?: string
      }
    }
    answer: {
      id: number
      url: string
      description: string | null
      types: string[] | null
      criteria: unknown
      each: boolean
      enabled: boolean
      disabled_at: string | null
      disabled_reason: string | null
      failing_since: string | null
      /** Up to where it has read the feed. */
      position: number
      previous_secret_until: string | null
      created_at: string
      updated_at: string
    }
  }
  /** Ask a person to confirm that they want mail */
  resubscribeContact: {
    input: {
      path: {
        contact: string | number
      }
      body: {
        send_confirmation?: boolean
      } | null
    }
    answer: {
      /** A person */
      data: {
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      }
      confirmation_url?: string | null
      expires_at?: string | null
    }
  }
  /** Send a mail again that failed */
  retryMessage: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      data: {
        id: string
        contact_id: string
        /** The address that the contact has now. */
        email: string
        template: string
        template_version: number
        phase: 'queued' | 'sent' | 'kept' | 'failed' | 'cancelled'
        attempts: number
        error: string | null
        created_at: string
        sent_at: string | null
      }
    }
  }
  /** Take an act on many people back, or see what would come of it */
  revertChangeSet: {
    input: {
      path: {
        id: string | number
      }
      body: {
        dry_run?: boolean
      } | null
    }
    answer: {
      dry_run: boolean
      reverts: number
      change_set_id: number | null
      phase: string
      counts: {
        /** Contacts that the act had created and nobody has touched since. */
        removed: number
        /** Contacts that get back what the act had changed. */
        restored: number
        /** Contacts of which something stays, as it was changed since. */
        kept: number
        /** Contacts that are no longer there. */
        gone: number
      }
    }
  }
  /** Take an act on many people back, or see what would come of it */
  revertImport: {
    input: {
      path: {
        id: string | number
      }
      body: {
        dry_run?: boolean
      } | null
    }
    answer: {
      dry_run: boolean
      reverts: number
      change_set_id: number | null
      phase: string
      counts: {
        /** Contacts that the act had created and nobody has touched since. */
        removed: number
        /** Contacts that get back what the act had changed. */
        restored: number
        /** Contacts of which something stays, as it was changed since. */
        kept: number
        /** Contacts that are no longer there. */
        gone: number
      }
    }
  }
  /** End an API token: every process knows within 5 seconds */
  revokeToken: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
  /** A new address; that of before works beside it for a day */
  rotateProviderHook: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      provider: 'mailtrap' | 'ses' | 'generic'
      name: string | null
      /** Whether signatures are asked for; else the address alone is the proof. */
      is_verified: boolean
      topic_arn: string | null
      previous_url_until: string | null
      counts: {
        received: number
        /** Now in the activity of a contact. */
        recorded: number
        /** Taken before. */
        duplicates: number
        /** No contact has the address, and none is made of it. */
        unknown: number
        /** The address was erased. */
        suppressed: number
        /** Of a type that says nothing of a person. */
        ignored: number
        /** Could not be read, or is too old. */
        refused: number
        /** Requests whose signature was not right. */
        unverified: number
      }
      last_received_at: string | null
      created_at: string
      updated_at: string
      /** Shown this once: whoever knows it can post events. */
      url: string
    }
  }
  /** A new secret; the one of before signs beside it for a day */
  rotateWebhookSecret: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      url: string
      description: string | null
      types: string[] | null
      criteria: unknown
      each: boolean
      enabled: boolean
      disabled_at: string | null
      disabled_reason: string | null
      failing_since: string | null
      /** Up to where it has read the feed. */
      position: number
      previous_secret_until: string | null
      created_at: string
      updated_at: string
      /** Shown this once. Messages are signed with it. */
      secret: string
    }
  }
  /** Find contacts by criteria */
  searchContacts: {
    input: {
      body: {
        /** Part of an address or of a name; with one or two letters, its beginning. */
        q?: string
        /** -id (the newest first), email, created_at, … or a merge tag; a minus turns it round. */
        sort?: string
        /** With a search text, a filter or criteria, totals are counted to 10,000 unless `exact` is asked for. */
        count?: 'exact' | 'capped'
        /** smart_lists: the ids of those that a contact is in now. links: to unsubscribe and to change preferences, for mail to them; bound to list_id, where that names one list; they need the scope write. Both, parted by a comma. */
        include?: string
        /** From 1. For walking through everything use cursor. */
        page?: number
        /** 50 unless given. */
        per_page?: number
        /** next_cursor of the page before. */
        cursor?: string
        /** A map of values, or the nested language: see docs/criteria.md. */
        criteria?: unknown
        list_id?: unknown
        tag?: unknown
        state?: unknown
        status?: unknown
        subscribed?: unknown
      }
    }
    answer: {
      data: ({
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      })[]
      page: number
      per_page: number
      total: number
      /** There are more than `total`; `total_pages` are those that are known of. */
      total_is_capped?: boolean
      total_pages: number
      next_cursor: string | null
    }
  }
  /** Mail a template to a contact who may be mailed */
  sendTemplate: {
    input: {
      path: {
        name: string | number
      }
      body: {
        /** Whom; or contact_id. */
        email?: string
        /** Id, or ext: and the external id. */
        contact_id?: string
        /** Of which list the mail is: its link leaves that list, and who has left it is not mailed. */
        list_id?: number
        variables?: Record<string, unknown>
      }
    }
    answer: {
      message_id: string
      contact_id: string
      /** That the template names and nobody gave: they are empty. */
      undefined_variables: string[]
    }
  }
  /** Every permission of a person with its evidence, as a page to print */
  showConsents: {
    input: {
      path: {
        contact: string | number
      }
    }
    answer: Response
  }
  /** Sign in: the answer sets a cookie */
  signIn: {
    input: {
      body: {
        email: string
        password: string
      }
    }
    answer: {
      user: {
        id: number
        email: string
        name: string
      }
      /** Those that the user may enter, by name. */
      accounts: ({
        id: number
        name: string
        role: 'viewer' | 'editor' | 'admin'
        time_zone: string
        color: string
      })[]
    }
  }
  /** Sign out */
  signOut: {
    input: Record<never, never>
    answer: undefined
  }
  /** Do something to everyone selected */
  startBulk: {
    input: {
      body: {
        selection: {
          /** Part of an address or of a name; with one or two letters, its beginning. */
          q?: string
          /** A map of values, or the nested language: see docs/criteria.md. */
          criteria?: unknown
          list_id?: unknown
          tag?: unknown
          state?: unknown
          status?: unknown
          subscribed?: unknown
        }
        action: {
          type: 'update'
          /** By merge tag: texts, numbers, booleans, dates as YYYY-MM-DD; null or an empty text unsets. */
          fields: Record<string, unknown>
        } | {
          type: 'add_tags'
          tags: string[]
        } | {
          type: 'remove_tags'
          tags: string[]
        } | {
          type: 'add_to_list'
          list_id: number
        } | {
          type: 'remove_from_list'
          list_id: number
        } | {
          type: 'unsubscribe'
        } | {
          type: 'delete'
        }
        /** Chooses whom and says what would become of each: apply the change set to do it. */
        dry_run?: boolean
      }
    }
    answer: {
      id: number
      kind: string
      phase: string
      actor: string
      options: Record<string, unknown>
      counts: Record<string, number>
      created_at: string
      finished_at: string | null
    }
  }
  /** The same as server-sent events, as they happen */
  streamFeed: {
    input: {
      query?: {
        include?: 'contact_email'
        types?: string
        contact?: string
        after?: string
      }
    }
    answer: string
  }
  /** Send a message that tells nothing, once; the delivery says how it went */
  testWebhook: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: {
      id: number
      /** The webhook-id, the same each time it is sent. */
      message_id: string
      kind: 'event' | 'events' | 'test'
      event_ids: string[]
      state: 'pending' | 'delivered' | 'failed' | 'erased'
      tries: number
      next_try_at: string | null
      /** The last 20, the latest last. */
      attempts: ({
        at: string
        status: number | null
        answer: string | null
        error: string | null
        latency_ms: number
      })[]
      created_at: string
      finished_at: string | null
    }
  }
  /** A person leaves by their own act: all mail, or one list */
  unsubscribeContact: {
    input: {
      path: {
        contact: string | number
      }
      body: {
        list_id?: number
      } | null
    }
    answer: {
      /** A person */
      data: {
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      }
    }
  }
  /** Change settings of the account */
  updateAccount: {
    input: {
      body: {
        name?: string
        /** Of the public pages, as #rrggbb. */
        color?: string
        /** Of mails, and of public pages for readers whose own language they do not have; one of `languages`. */
        language?: string
        /** IANA name, such as Europe/Berlin: where days begin and end. */
        time_zone?: string
        /** What becomes of a key in `fields` that no field has: a field is created, the request is refused, or the key is ignored. */
        unknown_fields?: 'create' | 'reject' | 'ignore'
        /** Whether an unset field is left out of `fields` or answered as null. */
        null_fields?: 'omit' | 'include'
        /** State of people whom an import brings without saying their state. */
        import_default_state?: 'subscribed' | 'none' | 'pending' | 'unsubscribed'
        /** People created without a state of their own wait as pending until they confirm. */
        double_opt_in?: boolean
        /** So many mails in a row that were refused for the moment, with none delivered in between, make someone bounced. */
        soft_bounce_limit?: number
        /** A template that is mailed to whoever has confirmed; null: none. A form may name another. */
        welcome_template?: string | null
        retention?: {
          events_days?: number | null
          mails_days?: number | null
          changes_days?: number | null
        }
      }
    }
    answer: {
      id: number
      name: string
      /** Of the public pages, as #rrggbb. */
      color: string
      /** Of mails, and of public pages for readers whose own language they do not have; one of `languages`. */
      language: string
      /** IANA name, such as Europe/Berlin: where days begin and end. */
      time_zone: string
      /** What becomes of a key in `fields` that no field has: a field is created, the request is refused, or the key is ignored. */
      unknown_fields: 'create' | 'reject' | 'ignore'
      /** Whether an unset field is left out of `fields` or answered as null. */
      null_fields: 'omit' | 'include'
      /** State of people whom an import brings without saying their state. */
      import_default_state: 'subscribed' | 'none' | 'pending' | 'unsubscribed'
      /** People created without a state of their own wait as pending until they confirm. */
      double_opt_in: boolean
      /** So many mails in a row that were refused for the moment, with none delivered in between, make someone bounced. */
      soft_bounce_limit: number
      /** A template that is mailed to whoever has confirmed; null: none. A form may name another. */
      welcome_template: string | null
      /** For how many days events, mails, and the rows of acts on many people are kept; null: for good. An act whose rows have gone can not be taken back any more. */
      retention: {
        events_days: number | null
        mails_days: number | null
        changes_days: number | null
      }
      /** Those that mails and public pages can have. */
      languages: string[]
      created_at: string
      updated_at: string
    }
  }
  /** Change up to 1,000 contacts */
  updateBatch: {
    input: {
      body: {
        /** 1 to 1000 contacts, each by its id, its address or ext: and its external id. */
        contact_ids: unknown[]
        /** By merge tag: texts, numbers, booleans, dates as YYYY-MM-DD; null or an empty text unsets. */
        fields?: Record<string, unknown>
        tags_added?: string[]
        tags_removed?: string[]
      }
    }
    answer: {
      change_set_id: number
      updated?: number
      deleted?: number
      unchanged?: number
      not_found: number
      not_found_ids: string[]
    }
  }
  /** Change a contact, or create it when its address is new */
  updateContact: {
    input: {
      path: {
        contact: string | number
      }
      body: {
        email?: string
        /** How another system calls this person; unique in the account. */
        external_id?: string | null
        /** By merge tag: texts, numbers, booleans, dates as YYYY-MM-DD; null or an empty text unsets. */
        fields?: Record<string, unknown>
        tags?: string[]
        unsubscribed?: boolean
        /** Of someone new: whether they wait as pending until they confirm, whom a mail then asks to. By default as the account says. */
        double_opt_in?: boolean
        list_ids?: number[]
        list_ids_included?: number[]
        list_ids_excluded?: number[]
      }
    }
    answer: {
      /** A person */
      data: {
        /** UUIDv7, given by the service. */
        id: string
        email: string
        external_id: string | null
        status: 'subscribed' | 'unsubscribed'
        state: 'none' | 'pending' | 'subscribed' | 'unsubscribed' | 'bounced'
        subscribed: boolean
        sendable: {
          allowed: boolean
          reason: string | null
        }
        fields: Record<string, unknown>
        tags: string[]
        /** Static lists. */
        list_ids: number[]
        /** With `include=smart_lists`. */
        smart_lists?: number[]
        links?: {
          unsubscribe_url: string
          preferences_url: string
        }
        origin: string
        created_at: number
        updated_at: number
        /** Another after every change: for `If-Match`, in quotes. */
        version: string
      }
      action: 'created' | 'updated'
    }
  }
  /** Change a definition */
  updateField: {
    input: {
      path: {
        field_id: string | number
      }
      body: {
        name?: string | null
        /** text, integer, number, select, date or boolean; data_type is the same. */
        type?: string | null
        /** Made from the name when it is not given. */
        merge_tag?: string | null
        required?: boolean | null
        /** Whether people may change it on their page of preferences. */
        editable?: boolean | null
        min?: number | null
        max?: number | null
        /** Of a select. One goes only while no contact has it, and comes back if one got it in the same seconds. */
        options?: string[] | null
        default?: string | number | boolean | null
        /** Of dates, such as DD.MM.YYYY; ISO dates are always taken. */
        format?: string | null
      }
    }
    answer: {
      id: number
      name: string
      /** The nearest official kind. */
      data_type: 'text' | 'integer' | 'float' | 'boolean' | 'date'
      merge_tag: string
      type: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      required: boolean
      /** By people, on their page of preferences. */
      editable: boolean
      min: number | null
      max: number | null
      options: string[] | null
      default: string | number | boolean | null
      format: string | null
      converting_to?: 'text' | 'integer' | 'number' | 'select' | 'date' | 'boolean'
      created_at: string
      updated_at: string
      values_count: number
    }
  }
  /** Change a form: what is given becomes its next version */
  updateForm: {
    input: {
      path: {
        form_id: string | number
      }
      body: {
        /** For yourself; unique. */
        name?: string
        /** Whether it can be filled. */
        active?: boolean
        /** Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given. */
        double_opt_in?: boolean
        /** Static lists that people join. */
        list_ids?: number[]
        /** Asked for beside the address, in this order. */
        fields?: ({
          /** Its merge tag. */
          field: string
          label?: string | null
          required?: boolean
        })[]
        redirect_url?: string | null
        /** Whose pages may show the form in a frame, such as https://www.example.com. */
        frame_origins?: string[]
        welcome_template?: string | null
        title?: string | null
        introduction?: string | null
        consent?: string | null
        button?: string | null
        success?: string | null
      }
    }
    answer: {
      data: {
        id: number
        /** Counts up with each change; the ledger names it. */
        version: number
        /** The page that shows it. */
        url: string
        /** For yourself; unique. */
        name: string
        /** Whether it can be filled. */
        active: boolean
        /** Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given. */
        double_opt_in: boolean
        /** Static lists that people join. */
        list_ids: number[]
        fields: ({
          field: string
          label: string | null
          required: boolean
        })[]
        redirect_url: string | null
        /** Whose pages may show the form in a frame, such as https://www.example.com. */
        frame_origins: string[]
        welcome_template: string | null
        title: string | null
        introduction: string | null
        consent: string | null
        button: string | null
        success: string | null
        created_at: string
        updated_at: string
      }
    }
  }
  /** Rename or describe a list, or change its criteria */
  updateList: {
    input: {
      path: {
        list_id: string | number
      }
      body: {
        name?: string
        description?: string | null
        /** Who is in the list: a map of values, or the nested language of docs/criteria.md. */
        criteria?: unknown
        /** Of a smart list: whether entering and leaving are told. */
        track?: boolean
        /** Whether its people may leave and join it on their page of preferences. */
        public?: boolean
        public_name?: string | null
        public_description?: string | null
        /** Whether who is created into it, by a request or a form, waits as pending until they confirm. */
        double_opt_in?: boolean
        /** Whether entering and leaving by these new criteria is told, too. */
        announce?: boolean
      }
    }
    answer: {
      id: number
      name: string
      description: string | null
      type: 'static' | 'smart'
      /** Of a smart list, with the merge tags of now; null: a static list. */
      criteria: unknown
      criteria_version?: number
      /** Whether entering and leaving are told. */
      track?: boolean
      /** Whether its people may leave and join it on their page of preferences. */
      public: boolean
      public_name: string | null
      public_description: string | null
      /** Whether who is created into it waits until they confirm. */
      double_opt_in: boolean
      contacts_count: number
      counted_at: string
      created_at: string
      updated_at: string
    }
  }
  /** Name a hook, or say what its provider signs with */
  updateProviderHook: {
    input: {
      path: {
        id: string | number
      }
      body: {
        name?: string | null
        signing_secret?: string | null
        topic_arn?: string | null
      }
    }
    answer: {
      id: number
      provider: 'mailtrap' | 'ses' | 'generic'
      name: string | null
      /** Whether signatures are asked for; else the address alone is the proof. */
      is_verified: boolean
      topic_arn: string | null
      previous_url_until: string | null
      counts: {
        received: number
        /** Now in the activity of a contact. */
        recorded: number
        /** Taken before. */
        duplicates: number
        /** No contact has the address, and none is made of it. */
        unknown: number
        /** The address was erased. */
        suppressed: number
        /** Of a type that says nothing of a person. */
        ignored: number
        /** Could not be read, or is too old. */
        refused: number
        /** Requests whose signature was not right. */
        unverified: number
      }
      last_received_at: string | null
      created_at: string
      updated_at: string
    }
  }
  /** Change a saved mapping */
  updateRecipe: {
    input: {
      path: {
        id: string | number
      }
      body: {
        name?: string
        /** Names of the file's columns, in their order: by these the recipe is proposed again. */
        columns?: string[]
        /** Options of an import: see createImport. */
        options?: Record<string, unknown>
      }
    }
    answer: {
      id: number
      name: string
      options: Record<string, unknown>
      created_at: string
      updated_at: string
    }
  }
  /** Change the name of whoever is signed in */
  updateSession: {
    input: {
      body: {
        name: string
      }
    }
    answer: {
      user: {
        id: number
        email: string
        name: string
      }
      /** Those that the user may enter, by name. */
      accounts: ({
        id: number
        name: string
        role: 'viewer' | 'editor' | 'admin'
        time_zone: string
        color: string
      })[]
    }
  }
  /** Change a template: what is given becomes its next version */
  updateTemplate: {
    input: {
      path: {
        name: string | number
      }
      body: {
        subject?: string
        html?: string
        text?: string
      }
    }
    answer: {
      data: {
        name: string
        /** 0: as it comes with the service. */
        version: number
        /** Comes with the service: deleting it takes it back to how it came. */
        built_in: boolean
        subject: string
        html: string
        text: string
        updated_at: string | null
      }
    }
  }
  /** Change a user's role in the account */
  updateUser: {
    input: {
      path: {
        id: string | number
      }
      body: {
        /** viewer: look; editor: also change people, lists and what goes with them; admin: all. */
        role: 'viewer' | 'editor' | 'admin'
      }
    }
    answer: Response
  }
  /** Change a saved view */
  updateView: {
    input: {
      path: {
        id: string | number
      }
      body: {
        name?: string
        /** Everybody's in the account; else only its maker's. A token makes shared ones. */
        shared?: boolean
        q?: string | null
        criteria?: unknown | null
        /** Merge tags of fields, and other names, in their order. */
        columns?: string[]
        sort?: string | null
      }
    }
    answer: {
      id: number
      name: string
      /** Everybody's in the account; else only its maker's. A token makes shared ones. */
      shared: boolean
      q: string | null
      criteria: unknown | null
      /** Merge tags of fields, and other names, in their order. */
      columns: string[]
      sort: string | null
      created_at: string
      updated_at: string
    }
  }
  /** Change, disable or enable a webhook */
  updateWebhook: {
    input: {
      path: {
        id: string | number
      }
      body: {
        /** Where messages are posted to: https://… or http://…. */
        url?: string
        description?: string | null
        types?: ('created' | 'deleted' | 'unsubscribed' | 'subscribed' | 'updated' | 'list_added' | 'list_removed' | 'list_entered' | 'list_left' | 'confirmation_sent' | 'email_sent' | 'email_delivered' | 'email_opened' | 'email_clicked' | 'email_bounced' | 'email_complained' | 'custom' | 'change_set_finished' | 'change_set_reverted' | 'webhook_disabled')[] | null
        /** Only events of contacts that meet them, as they are when the event is read: see docs/criteria.md. Events of the account, and that someone was deleted, are told all the same. null: everyone. */
        criteria?: unknown
        /** false, the default: an act on many is told once, by its change_set_finished. true: each person's event as well, up to 500 in one message. */
        each?: boolean
        /** true goes on where it stopped. */
        enabled?: boolean
      }
    }
    answer: {
      id: number
      url: string
      description: string | null
      types: string[] | null
      criteria: unknown
      each: boolean
      enabled: boolean
      disabled_at: string | null
      disabled_reason: string | null
      failing_since: string | null
      /** Up to where it has read the feed. */
      position: number
      previous_secret_until: string | null
      created_at: string
      updated_at: string
    }
  }
  /** Use a link up, and be signed in */
  useLink: {
    input: {
      body: {
        /** What stands behind the # in the link. */
        token: string
        email?: string
        name?: string
        password: string
      }
    }
    answer: {
      user: {
        id: number
        email: string
        name: string
      }
      /** Those that the user may enter, by name. */
      accounts: ({
        id: number
        name: string
        role: 'viewer' | 'editor' | 'admin'
        time_zone: string
        color: string
      })[]
    }
  }
  /** Withdraw an invitation */
  withdrawInvitation: {
    input: {
      path: {
        id: string | number
      }
    }
    answer: undefined
  }
}
