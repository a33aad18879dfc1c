// Methods that firmware calls, without UVM.
package plain_pkg;
    `include "mailbox.svh"
    import mailbox_core_pkg::*;

    // Returns the sum of the arguments.
    class AddMethod extends MbMethod;
        local `MB_PTR sum;

        function new(string name = "add");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            AddMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            sum = 0;
            for (int unsigned i = 0; i < arg_len; i++)
                sum += args[i];
        endfunction

        protected virtual task execute();
            yield(sum);
        endtask
    endclass

    // Returns after the number of clocks in its argument, which is its result. With +spin it loops
    // forever without time.
    class WaitMethod extends MbMethod;
        local `MB_PTR count;

        function new(string name = "wait");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            WaitMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            count = args[0];
        endfunction

        protected virtual task execute();
            if ($test$plusargs("spin") != 0)
                while (count != 0)
                    count = 64'($urandom()) | 1;
            repeat (32'(count))
                #10ns;
            yield(count);
        endtask
    endclass

    // Returns the number of clocks that have passed.
    class ClocksMethod extends MbMethod;
        function new(string name = "clocks");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            ClocksMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        endfunction

        protected virtual task execute();
            yield(64'($time) / 10);
        endtask
    endclass

    // Returns 10, 20, 30, and again.
    class SequenceMethod extends MbMethod;
        function new(string name = "sequence");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            SequenceMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        endfunction

        protected virtual task execute();
            yield(10);
            yield(20);
            yield(30);
        endtask
    endclass

    // Returns the sum of all arguments so far.
    class TotalMethod extends MbMethod;
        local `MB_PTR value;

        function new(string name = "total");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            TotalMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            value = args[0];
        endfunction

        protected virtual task execute();
            longint unsigned total;
            forever begin
                total += value;
                yield(total);
            end
        endtask
    endclass

    // Waits for a number of clocks. Returns 100000 times the number of calls in this run of
    // execute(), plus the number of counts of its forked process during the waits.
    class SessionMethod extends MbMethod;
        local `MB_PTR      clocks;
        local int unsigned beats;

        function new(string name = "session");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            SessionMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            clocks = args[0];
        endfunction

        protected virtual task execute();
            longint unsigned calls;
            fork
                forever begin
                    #10ns;
                    beats++;
                end
            join_none
            forever begin
                int unsigned before_ = beats;
                calls++;
                repeat (32'(clocks))
                    #10ns;
                yield(calls * 100000 + 64'(beats - before_));
            end
        endtask
    endclass

    // With 0: forks a process that yields 5, and returns before it. Otherwise: returns 7 after the
    // time at which the process would have yielded.
    class LateMethod extends MbMethod;
        local `MB_PTR joined;

        function new(string name = "late");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            LateMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            joined = args[0];
        endfunction

        protected virtual task execute();
            if (joined == 0)
                fork
                    begin
                        #100ns;
                        yield(5);
                    end
                join_none
            else begin
                #300ns;
                yield(7);
            end
        endtask
    endclass
endpackage
