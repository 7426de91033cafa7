package optim_test

import (
	"testing"

	"artel/config"
	"artel/kernels/cpu"
	"artel/optim"
	"artel/param"
	"artel/rng"
)

// BenchmarkStep measures a step of a mixture of 16 experts of 256x512 and 512x256: 4.2 million parameters.
func BenchmarkStep(b *testing.B) {
	for _, e := range optim.Entries() {
		b.Run(e.Name, func(b *testing.B) {
			be := cpu.New()
			pb := param.NewBuilder()
			init := func(s rng.Stream, _ int) float64 { return s.Normal() }
			for i := range 16 {
				key := param.Key{Kind: param.Expert, Layer: "l", Expert: i}
				pb.Add(key, string(rune('a'+i))+".up", true, init, 256, 512)
				pb.Add(key, string(rune('a'+i))+".down", true, init, 512, 256)
			}
			set, err := pb.Build(be, rng.New(1))
			if err != nil {
				b.Fatal(err)
			}
			o := mustNew(b, be, set, plain(config.Member{Name: e.Name}, 1e-3), 1<<30)
			grad := be.New(be.Float, set.Flat.Len())
			be.Fill(grad, 0.1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := o.Step(grad, 1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(set.Count())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mparam/s")
		})
	}
}
