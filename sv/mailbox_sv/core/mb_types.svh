// Result of one poll of a method.
typedef enum int unsigned {
    MB_READY   = 0,
    MB_PENDING = 1,
    MB_ABSENT  = 2,
    MB_FAILED  = 3
} mb_status_e;

// Severity of a report.
typedef enum int {
    MB_INFO    = 0,
    MB_WARNING = 1,
    MB_ERROR   = 2,
    MB_FATAL   = 3
} mb_severity_e;

// Reason of a failed call; empty if it has not failed.
typedef struct {
    mb_severity_e severity;
    string        text;
} mb_cause_t;

// Kind of a request. Any other value is a custom command.
typedef enum int unsigned {
    MB_EXIT    = 1,
    MB_PRINT   = 2,
    MB_CPRINT  = 3,
    MB_MEMMOVE = 4,
    MB_MEMSET  = 5,
    MB_MEMCMP  = 6,
    MB_CALL    = 7,
    MB_FILE    = 8
} mb_action_e;

// Observations that the testbench can request; may be combined.
parameter int unsigned MB_OBSERVE_SERVED  = 1;
parameter int unsigned MB_OBSERVE_WRITTEN = 2;

// Address or argument: `MB_PTR as a type that can be used in a cast.
typedef `MB_PTR mb_ptr_t;

// Argument words of a call.
typedef `MB_PTR mb_args_t[];

// Events: a channel was registered or has exited, or service has ended; a call has begun; a call
// was dropped. They are not members of a class: while a process waits, Verilator would evaluate the
// triggers of those in every time step.
event mb_changed, mb_begun, mb_dropped;

// Linux's number of a bad address: the result of a request with unmapped addresses.
parameter int MB_EFAULT = 14;

// Exit codes by channel.
typedef int unsigned mb_codes_t[string];

typedef class MbHost;
