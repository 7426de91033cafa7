package kerneltest

import (
	"reflect"

	"artel/kernels"
	"artel/tensor"
)

// fillArgs are the arguments of Fill, so that it can be called like the other ops.
type fillArgs struct {
	Dst tensor.Tensor
	V   float64
}

// call runs the op that args belong to: the argument struct of an op has the name of the op.
func call(b *kernels.Backend, args any) {
	if f, ok := args.(fillArgs); ok {
		b.Fill(f.Dst, f.V)
		return
	}
	v := reflect.ValueOf(args)
	reflect.ValueOf(b).Elem().FieldByName(v.Type().Name()).Call([]reflect.Value{v})
}

// twin returns a copy of the arguments of an op whose tensors view the images of their storages, with the same shapes, strides
// and overlaps.
func twin(args any, image func(*tensor.Storage) *tensor.Storage) any {
	return twinValue(reflect.ValueOf(args), image).Interface()
}

func twinValue(v reflect.Value, image func(*tensor.Storage) *tensor.Storage) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch x := v.Interface().(type) {
	case tensor.Tensor:
		if x.Ok() {
			stride := make([]int, x.Rank())
			for i := range stride {
				stride[i] = x.Stride(i)
			}
			out.Set(reflect.ValueOf(tensor.Of(image(x.Storage()), x.Offset(), 0).Strided(x.Shape(), stride)))
		}
	case *kernels.Plan:
		p := twin(*x, image).(kernels.Plan)
		out.Set(reflect.ValueOf(&p))
	default:
		if v.Kind() == reflect.Struct {
			for i := 0; i < v.NumField(); i++ {
				if v.Type().Field(i).IsExported() {
					out.Field(i).Set(twinValue(v.Field(i), image))
				}
			}
		}
	}
	return out
}
