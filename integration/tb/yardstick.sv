// A DPI call per clock that does nothing, with +yardstick: what any host costs that is asked on every clock.
module yardstick (
    input bit clk
);
    import "DPI-C" function void do_nothing();

    bit on;

    initial on = $test$plusargs("yardstick") != 0;

    always @(posedge clk)
        if (on)
            do_nothing();
endmodule
