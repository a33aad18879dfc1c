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

// Kind of a request. Any other number is a custom command.
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

// An address or an argument: `MB_PTR as a type that a cast can name.
typedef `MB_PTR mb_ptr_t;

// The argument words of a call.
typedef `MB_PTR mb_args_t[];

// A channel is there or has exited, or service is over; a call has begun; a call was dropped. No members of a class: for these
// the triggers are evaluated by Verilator in every time step for as long as a process waits.
event mb_changed, mb_begun, mb_dropped;

// A bad address (Linux's number): the result of a request with addresses outside of the map.
parameter int MB_EFAULT = 14;

// Exit codes by channel.
typedef int unsigned mb_codes_t[string];

typedef class MbHost;
