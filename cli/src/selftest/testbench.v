// Testbench of the self-test with system tasks: clock, host and methods, in plain Verilog.
`timescale 1ns/1ps

module testbench;
    reg  clk;
    wire [31:0] checks;
    reg  over;
    integer served, clocks, call, pending, waited;
    event called;

    always #5 clk = !clk;

    firmware firmware (.clk(clk), .checks(checks));

    initial begin
        clk = 0;
        over = 0;
        clocks = 0;
        pending = 0;
        waited = 0;
        $mb_on_call("*", called);
        #0;
        if ($mb_init("", "", "") != 0) begin
            $display("self-test: FAILED: mb_init");
            $finish;
        end
    end

    always @(negedge clk) begin
        clocks = clocks + 1;
        if (!over) begin
            if (pending != 0) begin
                waited = waited + 1;
                if (waited == $mb_call_arg(pending, 0)) begin
                    $mb_answer(pending, waited);
                    pending = 0;
                end
            end
            served = $mb_tick;
            if (served <= 0 || clocks == 100000)
                stop;
        end
    end

    task stop;
        begin
            over = 1;
            if (served < 0)
                $display("self-test: FAILED: mb_tick");
            else if (served > 0) begin
                $mb_status;
                $display("self-test: FAILED: no end after 100000 clocks");
            end else if ($mb_exit_code != 0)
                $display("self-test: FAILED: check %0d of firmware", $mb_exit_code);
            else
                $display("self-test: %0d checks passed", checks);
            $mb_shutdown;
            $finish;
        end
    endtask

    always @(called) begin
        call = $mb_next_call;
        while (call != 0) begin
            if ($mb_call_is(call, "add"))
                $mb_answer(call, $mb_call_arg(call, 0) + $mb_call_arg(call, 1));
            else if ($mb_call_is(call, "wait"))
                pending = call;
            else
                $mb_no_method(call);
            call = $mb_next_call;
        end
    end
endmodule
