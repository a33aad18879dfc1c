// An empty DPI call on every clock, with +yardstick: the minimum cost of any host that is called on
// every clock.
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
